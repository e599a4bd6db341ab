select
    organization_id,
    scenario,
    created_month,
    sum(lead_count) as leads,
    sum(leads_without_rate) as leads_without_rate,
    sum(pipeline_amount) as pipeline_amount
from {{ ref('mart_weighted_pipeline_scenarios') }}
group by organization_id, scenario, created_month
order by organization_id, created_month, scenario
