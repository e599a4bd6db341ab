{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        schema='snapshots',
        access='protected',
        full_refresh=false,
        on_schema_change='append_new_columns',
        partition_by={'field': 'score_date', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'account_id'],
        pre_hook="{{ delete_rows_of_this_run(this, 'scored_at', 'score_date') }}"
    )
}}
{#- This table is history. The rows of a run cannot be computed again by another run, so a full refresh keeps them. A
    run adds its own rows and replaces those of an earlier attempt of itself. Its MERGE has no key and therefore does
    not read the history. -#}
{%- set components = ['usage', 'support', 'revenue', 'engagement'] -%}
{%- set weighted = {} -%}
{%- for component in components -%}
{%- do weighted.update({'scored.' ~ component ~ '_score': 'settings.' ~ component ~ '_weight'}) -%}
{%- endfor -%}
{%- set points = [
    'lone_usage_score', 'open_ticket_points', 'breached_share_points', 'csat_par', 'csat_points', 'level_revenue_score',
    'growth_points', 'contraction_points', 'breadth_points', 'active_days_points', 'event_category_count',
] -%}
{#- Columns of `customers` that pass through every CTE. -#}
{%- set attributes = [
    'organization_id', 'account_id', 'account_key', 'account_name', 'segment', 'plan_tier', 'region', 'owner_user_id',
    'owner_name', 'reporting_currency', 'event_count', 'segment_account_count', 'open_ticket_count', 'ticket_count',
    'breached_ticket_count', 'breached_ticket_pct', 'csat_response_count', 'mean_csat_score', 'mrr_amount',
    'mrr_3_months_ago_amount', 'mrr_at_rate_of_3_months_ago_amount', 'mrr_growth_pct', 'used_category_count',
    'active_day_count',
] -%}
with

settings as (
    select
        {%- for component in components %}
        cast({{ component }}_weight as float64) as {{ component }}_weight,
        {%- endfor %}
        {%- for point in points %}
        cast({{ point }} as float64) as {{ point }},
        {%- endfor %}
        usage_days
    from {{ ref('customer_health_settings') }}
),

tiers as (
    select
        health_tier,
        from_score,
        below_score
    from {{ ref('customer_health_tiers') }}
),

customers as (
    select
        organization_id,
        account_id,
        account_key,
        account_name,
        segment,
        plan_tier,
        region,
        owner_user_id,
        owner_name,
        reporting_currency,
        event_count_ever,
        event_count,
        active_day_count,
        used_category_count,
        open_ticket_count,
        ticket_count,
        breached_ticket_count,
        csat_response_count,
        mean_csat_score,
        mrr_amount,
        mrr_3_months_ago_amount,
        mrr_at_rate_of_3_months_ago_amount,
        is_revenue_comparable,
        count(*) over (partition by organization_id, segment) as segment_account_count,
        percent_rank() over (partition by organization_id, segment order by event_count) as event_percent_rank,
        100 * breached_ticket_count / nullif(ticket_count, 0) as breached_ticket_pct,
        case
            when is_revenue_comparable and mrr_3_months_ago_amount > 0
                then
                    100 * cast(mrr_at_rate_of_3_months_ago_amount - mrr_3_months_ago_amount as float64)
                    / cast(mrr_3_months_ago_amount as float64)
        end as mrr_growth_pct
    from {{ ref('int_customers__signals') }}
    where subscription_count > 0
),

scored as (
    select
        customers.{{ attributes | join(',\n        customers.') }},
        100 * customers.used_category_count / settings.event_category_count as feature_breadth_pct,
        case
            when coalesce(customers.event_count_ever, 0) = 0 then null
            when customers.segment_account_count = 1 then settings.lone_usage_score
            else 100 * customers.event_percent_rank
        end as usage_score,
        case
            when customers.ticket_count = 0 and customers.open_ticket_count = 0 then null
            when customers.open_ticket_count is null or customers.breached_ticket_count is null then null
            else
                greatest(
                    0.0,
                    100
                    - settings.open_ticket_points * customers.open_ticket_count
                    - settings.breached_share_points * coalesce(customers.breached_ticket_pct, 0) / 100
                    - settings.csat_points
                    * greatest(0.0, settings.csat_par - coalesce(customers.mean_csat_score, settings.csat_par))
                )
        end as support_score,
        case
            when not customers.is_revenue_comparable then null
            when customers.mrr_growth_pct is null then settings.level_revenue_score
            when customers.mrr_growth_pct >= 0
                then least(100.0, settings.level_revenue_score + settings.growth_points * customers.mrr_growth_pct / 100)
            else greatest(0.0, settings.level_revenue_score + settings.contraction_points * customers.mrr_growth_pct / 100)
        end as revenue_score,
        case
            when customers.event_count_ever = 0 then null
            else
                settings.breadth_points * customers.used_category_count / settings.event_category_count
                + settings.active_days_points * customers.active_day_count / settings.usage_days
        end as engagement_score
    from customers
    cross join settings
),

weighed as (
    select
        scored.{{ attributes | join(',\n        scored.') }},
        scored.feature_breadth_pct,
        scored.usage_score,
        settings.usage_weight,
        scored.support_score,
        settings.support_weight,
        scored.revenue_score,
        settings.revenue_weight,
        scored.engagement_score,
        settings.engagement_weight,
        {{ known_weight(weighted) }} as data_coverage,
        round({{ calculate_health_score(weighted) }}, 9) as health_score
    from scored
    cross join settings
),

tiered as (
    {{ classify_band(
        'weighed', ['organization_id', 'account_id'], 'health_score', 'tiers', 'health_tier', 'from_score', 'below_score'
    ) }}
),

final as (
    select
        {{ generate_surrogate_key(['weighed.organization_id', 'weighed.account_id', as_of()]) }} as customer_health_key,
        weighed.organization_id,
        weighed.account_id,
        weighed.account_key,
        {{ last_day_seen() }} as score_date,
        {{ as_of() }} as scored_at,
        timestamp(date_add({{ last_day_seen() }}, interval 1 day)) <= {{ as_of() }} as is_complete,
        weighed.account_name,
        weighed.segment,
        weighed.plan_tier,
        weighed.region,
        weighed.owner_user_id,
        weighed.owner_name,
        weighed.reporting_currency,
        weighed.event_count,
        weighed.segment_account_count,
        weighed.usage_score,
        weighed.open_ticket_count,
        weighed.ticket_count,
        weighed.breached_ticket_count,
        weighed.breached_ticket_pct,
        weighed.csat_response_count,
        weighed.mean_csat_score,
        weighed.support_score,
        weighed.mrr_amount,
        weighed.mrr_3_months_ago_amount,
        weighed.mrr_at_rate_of_3_months_ago_amount,
        weighed.mrr_growth_pct,
        weighed.revenue_score,
        weighed.used_category_count,
        weighed.feature_breadth_pct,
        weighed.active_day_count,
        weighed.engagement_score,
        {{ score_contribution('weighed.usage_score', 'weighed.usage_weight', 'weighed.data_coverage') }}
            as usage_contribution,
        {{ score_contribution('weighed.support_score', 'weighed.support_weight', 'weighed.data_coverage') }}
            as support_contribution,
        {{ score_contribution('weighed.revenue_score', 'weighed.revenue_weight', 'weighed.data_coverage') }}
            as revenue_contribution,
        {{ score_contribution('weighed.engagement_score', 'weighed.engagement_weight', 'weighed.data_coverage') }}
            as engagement_contribution,
        weighed.data_coverage,
        weighed.health_score,
        coalesce(tiered.health_tier, 'unknown') as health_tier
    from weighed
    left join tiered
        on tiered.organization_id = weighed.organization_id
        and tiered.account_id = weighed.account_id
)

select *
from final
