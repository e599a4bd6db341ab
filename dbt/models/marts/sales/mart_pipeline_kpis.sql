{{
    config(
        partition_by={'field': 'month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'facility_id']
    )
}}
{%- set grain = ['organization_id', 'facility_id', 'month'] -%}
with

organizations as (
    select
        organization_id,
        reporting_currency
    from {{ ref('dim_organizations') }}
),

facilities as (
    select
        organization_id,
        facility_id,
        facility_name
    from {{ ref('dim_facilities') }}
),

-- The organizations that have such rows at all.
with_leads as (
    select distinct organization_id
    from {{ ref('fct_leads') }}
),

with_deals as (
    select distinct organization_id
    from {{ ref('fct_deals') }}
),

leads as (
    select
        organization_id,
        facility_id,
        created_month as month,
        reached_sql,
        reached_opportunity,
        reached_won,
        stage,
        is_open,
        is_lost,
        has_rate,
        amount_reporting,
        {{ weighted_pipeline_scenario('amount_reporting', 'win_probability', 'stage_weight', 'true') }}
            as weighted_amount
    from {{ ref('fct_leads') }}
    where created_at < {{ as_of() }}
),

deals as (
    select
        organization_id,
        facility_id,
        {{ first_day_of('month', 'created_date') }} as created_month,
        if(is_closed and closed_at < {{ as_of() }}, {{ first_day_of('month', 'closed_date') }}, null) as closed_month,
        is_closed,
        is_won,
        is_lost,
        has_rate,
        amount_reporting,
        sales_cycle_days
    from {{ ref('fct_deals') }}
    where created_at < {{ as_of() }}
),

-- Whether an organization's deals say when they were closed: one does, or their stages say that none was.
closings as (
    select
        organization_id,
        count(closed_month) > 0 or coalesce({{ count_known('is_closed') }} = 0, false) as are_known
    from deals
    group by organization_id
),

leads_by_month as (
    select
        {{ grain | join(',\n        ') }},
        count(*) as lead_count,
        {{ count_known('reached_sql') }} as sql_count,
        {{ count_known('reached_opportunity') }} as opportunity_count,
        {{ count_known('reached_won') }} as won_lead_count,
        {{ count_known('is_lost') }} as lost_lead_count,
        {{ count_known('is_open') }} as open_lead_count,
        countif(stage = 'unknown') as unknown_stage_lead_count,
        countif(not has_rate) as leads_without_rate,
        sum(amount_reporting) as lead_amount,
        {{ sum_known('is_open', 'amount_reporting') }} as open_lead_amount,
        sum(weighted_amount) as weighted_lead_amount
    from leads
    group by {{ grain | join(', ') }}
),

deals_created as (
    select
        organization_id,
        facility_id,
        created_month as month,
        count(*) as deal_count,
        countif(not has_rate) as deals_without_rate,
        sum(amount_reporting) as deal_amount
    from deals
    group by organization_id, facility_id, created_month
),

-- BigQuery has an exact median only as a window function. So every deal carries the median of its group.
closed_with_median as (
    select
        organization_id,
        facility_id,
        closed_month as month,
        is_won,
        is_lost,
        has_rate,
        amount_reporting,
        percentile_cont(sales_cycle_days, 0.5) over (partition by organization_id, facility_id, closed_month)
            as median_sales_cycle_days
    from deals
    where closed_month is not null
),

deals_closed as (
    select
        {{ grain | join(',\n        ') }},
        countif(is_won) as won_deal_count,
        countif(is_lost) as lost_deal_count,
        countif(is_won and not has_rate) as won_deals_without_rate,
        {{ sum_known('is_won', 'amount_reporting') }} as won_deal_amount,
        any_value(median_sales_cycle_days) as median_sales_cycle_days
    from closed_with_median
    group by {{ grain | join(', ') }}
),

months as (
    select {{ grain | join(', ') }}
    from leads_by_month
    union distinct
    select {{ grain | join(', ') }}
    from deals_created
    union distinct
    select {{ grain | join(', ') }}
    from deals_closed
),

{% set has_deals = 'with_deals.organization_id is not null' -%}
{% set has_leads = 'with_leads.organization_id is not null' -%}
counted as (
    select
        months.organization_id,
        months.facility_id,
        months.month,
        {%- for column in [
            'lead_count', 'sql_count', 'opportunity_count', 'won_lead_count', 'lost_lead_count', 'open_lead_count',
            'unknown_stage_lead_count', 'leads_without_rate', 'lead_amount', 'open_lead_amount', 'weighted_lead_amount'
        ] %}
        {{ zero_without_rows(has_leads, 'leads_by_month.organization_id', 'leads_by_month.' ~ column) }}
            as {{ column }},
        {%- endfor %}
        {%- for column in ['deal_count', 'deals_without_rate', 'deal_amount'] %}
        {{ zero_without_rows(has_deals, 'deals_created.organization_id', 'deals_created.' ~ column) }}
            as {{ column }},
        {%- endfor %}
        {%- for column in ['won_deal_count', 'lost_deal_count', 'won_deals_without_rate', 'won_deal_amount'] %}
        {{ zero_without_rows('closings.are_known', 'deals_closed.organization_id', 'deals_closed.' ~ column) }}
            as {{ column }},
        {%- endfor %}
        deals_closed.median_sales_cycle_days
    from months
    left join with_leads
        on with_leads.organization_id = months.organization_id
    left join with_deals
        on with_deals.organization_id = months.organization_id
    left join closings
        on closings.organization_id = months.organization_id
    left join leads_by_month
        on leads_by_month.organization_id = months.organization_id
        and leads_by_month.facility_id = months.facility_id
        and leads_by_month.month = months.month
    left join deals_created
        on deals_created.organization_id = months.organization_id
        and deals_created.facility_id = months.facility_id
        and deals_created.month = months.month
    left join deals_closed
        on deals_closed.organization_id = months.organization_id
        and deals_closed.facility_id = months.facility_id
        and deals_closed.month = months.month
),

final as (
    select
        {{ generate_surrogate_key(['counted.organization_id', 'counted.facility_id', 'counted.month']) }} as pipeline_kpi_key,
        counted.organization_id,
        counted.facility_id,
        coalesce(facilities.facility_name, 'Unknown') as facility_name,
        counted.month,
        {{ month_is_complete('counted.month') }} as is_complete,
        organizations.reporting_currency,
        counted.lead_count,
        counted.sql_count,
        counted.opportunity_count,
        counted.won_lead_count,
        counted.lost_lead_count,
        counted.open_lead_count,
        counted.unknown_stage_lead_count,
        counted.lead_amount,
        counted.open_lead_amount,
        counted.weighted_lead_amount,
        counted.leads_without_rate,
        100 * counted.won_lead_count / nullif(counted.lead_count, 0) as lead_conversion_pct,
        counted.deal_count,
        counted.deal_amount,
        counted.deals_without_rate,
        counted.won_deal_count,
        counted.lost_deal_count,
        100 * counted.won_deal_count / nullif(counted.won_deal_count + counted.lost_deal_count, 0) as deal_win_rate_pct,
        counted.won_deal_amount,
        counted.won_deals_without_rate,
        counted.median_sales_cycle_days
    from counted
    left join organizations
        on organizations.organization_id = counted.organization_id
    left join facilities
        on facilities.organization_id = counted.organization_id
        and facilities.facility_id = counted.facility_id
)

select *
from final
