{{ config(tags=['critical']) }}
-- Reconciliation: every scenario of mart_sales_forecast has each deal of fct_deals once. If it applies probabilities and
-- includes open deals, its forecast is the sum of their weighted amounts.
with

facts as (
    select
        organization_id,
        count(*) as deal_count,
        sum(coalesce(amount_reporting, 0)) as deal_amount,
        sum(coalesce(weighted_amount, 0)) as weighted_amount
    from {{ ref('fct_deals') }}
    group by organization_id
),

scenarios as (
    select
        scenario,
        apply_probability and include_open as is_weighted
    from {{ ref('pipeline_scenarios') }}
),

forecasts as (
    select
        forecast.organization_id,
        forecast.scenario,
        scenarios.is_weighted,
        sum(forecast.deal_count) as deal_count,
        sum(forecast.deal_amount) as deal_amount,
        sum(forecast.forecast_amount) as forecast_amount
    from {{ ref('mart_sales_forecast') }} as forecast
    inner join scenarios
        on scenarios.scenario = forecast.scenario
    group by forecast.organization_id, forecast.scenario, scenarios.is_weighted
)

select
    coalesce(facts.organization_id, forecasts.organization_id) as organization_id,
    forecasts.scenario,
    facts.deal_count as deals_in_facts,
    forecasts.deal_count as deals_in_mart,
    facts.weighted_amount as weighted_in_facts,
    forecasts.forecast_amount as forecast_in_mart
from facts
full outer join forecasts
    on forecasts.organization_id = facts.organization_id
where
    facts.deal_count is null
    or forecasts.deal_count is null
    or facts.deal_count != forecasts.deal_count
    or facts.deal_amount != forecasts.deal_amount
    or (forecasts.is_weighted and abs(facts.weighted_amount - forecasts.forecast_amount) > 0.000001 * facts.deal_count)
