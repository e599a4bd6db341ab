select
    organization_id,
    facility_name,
    month,
    health_score,
    health_tier,
    compliance_score,
    pipeline_score,
    conversion_score,
    sla_score,
    satisfaction_score
from {{ ref('mart_facility_health_scores') }}
where is_complete
order by organization_id, facility_name, month
