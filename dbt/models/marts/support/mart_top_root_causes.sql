{{
    config(
        partition_by={'field': 'month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'root_cause_id', 'category_id']
    )
}}
{%- set grain = ['organization_id', 'month', 'root_cause_id', 'category_id', 'product_category'] -%}
{%- set names = ['root_cause_code', 'root_cause_name', 'root_cause_category', 'category_name', 'parent_category_name'] -%}
{%- set channels = ['email', 'chat', 'phone', 'social', 'web', 'app', 'unknown'] -%}
{%- set percentiles = {'median': 0.5, 'p75': 0.75, 'p95': 0.95} -%}
with

tickets as (
    select
        organization_id,
        created_month as month,
        root_cause_id,
        category_id,
        product_category,
        {%- for name in names %}
        {{ name }},
        {%- endfor %}
        if(
            channel in ('{{ channels | join("', '") }}'),
            channel,
            'unknown'
        ) as channel,
        is_resolved,
        resolution_calendar_minutes,
        csat_tier,
        csat_score,
        is_release_related
    from {{ ref('mart_ticket_analytics') }}
),

-- BigQuery has exact percentiles only as window functions. So every ticket carries the percentiles of its group.
with_percentiles as (
    select
        {%- for name, share in percentiles.items() %}
        percentile_cont(resolution_calendar_minutes, {{ share }}) over (partition by {{ grain | join(', ') }})
            as {{ name }}_resolution_minutes,
        {%- endfor %}
        *
    from tickets
),

counted as (
    select
        {{ grain | join(',\n        ') }},
        {%- for name in names %}
        any_value({{ name }}) as {{ name }},
        {%- endfor %}
        {{ exact_mean('resolution_calendar_minutes') }} / 60 as mean_resolution_hours,
        {%- for name in percentiles %}
        any_value({{ name }}_resolution_minutes) / 60 as {{ name }}_resolution_hours,
        {%- endfor %}
        {%- for channel in channels %}
        countif(channel = '{{ channel }}') as {{ channel }}_count,
        {%- endfor %}
        count(*) as ticket_count,
        countif(is_resolved) as resolved_count,
        countif(not is_resolved) as open_count,
        countif(csat_tier is not null) as csat_response_count,
        countif(csat_tier = 'satisfied') as satisfied_count,
        sum(if(csat_tier is not null, csat_score, 0)) as csat_score_sum,
        countif(is_release_related) as release_related_count
    from with_percentiles
    group by {{ grain | join(', ') }}
),

compared as (
    select
        *,
        sum(ticket_count) over (partition by organization_id, month) as period_ticket_count
    from counted
),

causes_of_month as (
    select
        organization_id,
        month,
        root_cause_id,
        rank() over (partition by organization_id, month order by sum(ticket_count) desc) as month_rank
    from counted
    where root_cause_id != 'unknown'
    group by organization_id, month, root_cause_id
),

causes_of_category as (
    select
        organization_id,
        month,
        category_id,
        root_cause_id,
        rank() over (partition by organization_id, month, category_id order by sum(ticket_count) desc) as category_rank
    from counted
    where root_cause_id != 'unknown'
    group by organization_id, month, category_id, root_cause_id
),

final as (
    select
        {{ surrogate_key([
            'compared.organization_id', 'compared.month', 'compared.root_cause_id', 'compared.category_id',
            'compared.product_category'
        ]) }} as top_root_cause_key,
        compared.organization_id,
        compared.month,
        extract(year from compared.month) as year,
        extract(quarter from compared.month) as quarter,
        {{ month_is_complete('compared.month') }} as is_complete,
        compared.root_cause_id,
        compared.root_cause_code,
        compared.root_cause_name,
        compared.root_cause_category,
        compared.category_id,
        compared.category_name,
        compared.parent_category_name,
        compared.product_category,
        compared.ticket_count,
        compared.period_ticket_count,
        100 * compared.ticket_count / compared.period_ticket_count as period_share_pct,
        compared.open_count,
        100 * compared.open_count / compared.ticket_count as open_pct,
        compared.resolved_count,
        compared.mean_resolution_hours,
        compared.median_resolution_hours,
        compared.p75_resolution_hours,
        compared.p95_resolution_hours,
        compared.csat_response_count,
        compared.satisfied_count,
        100 * compared.satisfied_count / nullif(compared.csat_response_count, 0) as satisfied_pct,
        compared.csat_score_sum / nullif(compared.csat_response_count, 0) as mean_csat_score,
        compared.email_count,
        100 * compared.email_count / compared.ticket_count as email_pct,
        compared.chat_count,
        100 * compared.chat_count / compared.ticket_count as chat_pct,
        compared.phone_count,
        100 * compared.phone_count / compared.ticket_count as phone_pct,
        compared.social_count,
        100 * compared.social_count / compared.ticket_count as social_pct,
        compared.web_count,
        100 * compared.web_count / compared.ticket_count as web_pct,
        compared.app_count,
        100 * compared.app_count / compared.ticket_count as app_pct,
        compared.unknown_count,
        100 * compared.unknown_count / compared.ticket_count as unknown_pct,
        compared.release_related_count,
        100 * compared.release_related_count / compared.ticket_count as release_related_pct,
        causes_of_month.month_rank,
        causes_of_category.category_rank
    from compared
    left join causes_of_month
        on causes_of_month.organization_id = compared.organization_id
        and causes_of_month.month = compared.month
        and causes_of_month.root_cause_id = compared.root_cause_id
    left join causes_of_category
        on causes_of_category.organization_id = compared.organization_id
        and causes_of_category.month = compared.month
        and causes_of_category.category_id = compared.category_id
        and causes_of_category.root_cause_id = compared.root_cause_id
)

select *
from final
