select
    organization_id,
    expected_close_week,
    scenario,
    sum(deal_count) as deals,
    sum(forecast_amount) as forecast_amount
from {{ ref('mart_sales_forecast') }}
where not is_complete
group by organization_id, expected_close_week, scenario
order by organization_id, expected_close_week, scenario
