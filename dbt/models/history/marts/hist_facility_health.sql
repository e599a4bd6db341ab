select
    facility_health_key,
    organization_id,
    facility_id,
    month,
    is_complete,
    compliance_score,
    pipeline_score,
    conversion_score,
    sla_score,
    satisfaction_score,
    known_component_count,
    health_score,
    health_tier
from {{ ref('mart_facility_health_scores') }}
