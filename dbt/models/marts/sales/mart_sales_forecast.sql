{{ config(cluster_by=['organization_id', 'scenario', 'expected_close_week']) }}
{%- set grain = ['organization_id', 'expected_close_week', 'stage', 'scenario'] -%}
with

-- A won deal is certain, whatever its probability says.
deals as (
    select
        organization_id,
        date_sub(expected_close_date, interval mod(extract(dayofweek from expected_close_date) + 5, 7) day)
            as expected_close_week,
        stage,
        has_rate,
        amount_reporting,
        if(is_won, 1, cast(probability_pct as numeric(38, 9)) / 100) as win_probability,
        is_won,
        is_open,
        is_overdue
    from {{ ref('fct_deals') }}
),

scenarios as (
    select
        scenario,
        apply_probability,
        include_open
    from {{ ref('pipeline_scenarios') }}
),

organizations as (
    select
        organization_id,
        reporting_currency
    from {{ ref('dim_organizations') }}
),

-- A lost deal counts in no scenario. Stages of deals have no weight.
deals_by_scenario as (
    select
        deals.organization_id,
        deals.expected_close_week,
        deals.stage,
        deals.has_rate,
        deals.amount_reporting,
        deals.is_overdue,
        deals.is_open and deals.win_probability is null as is_without_probability,
        scenarios.scenario,
        scenarios.apply_probability,
        {{ scenario_toggle('scenarios.apply_probability', true, 'deals.win_probability', '1') }} as probability,
        deals.is_won or {{ scenario_toggle('scenarios.include_open', true, 'deals.is_open', 'false') }} as is_counted
    from deals
    cross join scenarios
),

counted_deals as (
    select
        {{ grain | join(',\n        ') }},
        apply_probability,
        is_counted,
        is_overdue,
        is_without_probability,
        has_rate,
        amount_reporting,
        probability,
        if(is_counted, amount_reporting, null) as counted_amount,
        {{ weighted_pipeline_scenario('amount_reporting', 'probability', '1', 'apply_probability') }} as forecast_amount
    from deals_by_scenario
),

sums as (
    select
        {{ grain | join(',\n        ') }},
        count(*) as deal_count,
        {{ count_known('is_counted') }} as counted_deal_count,
        {{ count_known('is_overdue') }} as overdue_deal_count,
        countif(not has_rate) as deals_without_rate,
        countif(is_without_probability) as deals_without_probability,
        sum(amount_reporting) as deal_amount,
        {{ sum_known('is_counted', 'forecast_amount') }} as forecast_amount,
        {{ weighted_forecast('counted_amount', 'probability', 'apply_probability') }} as mean_amount
    from counted_deals
    group by {{ grain | join(', ') }}, apply_probability
),

final as (
    select
        {{ generate_surrogate_key(['sums.organization_id', 'sums.expected_close_week', 'sums.stage', 'sums.scenario']) }}
            as sales_forecast_key,
        sums.organization_id,
        sums.expected_close_week,
        coalesce(date_add(sums.expected_close_week, interval 7 day) <= {{ as_of_date() }}, false) as is_complete,
        sums.stage,
        sums.scenario,
        organizations.reporting_currency,
        sums.deal_count,
        sums.counted_deal_count,
        sums.overdue_deal_count,
        sums.deals_without_rate,
        sums.deals_without_probability,
        sums.deal_amount,
        sums.forecast_amount,
        sums.mean_amount
    from sums
    left join organizations
        on organizations.organization_id = sums.organization_id
)

select *
from final
