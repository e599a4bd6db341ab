select
    organization_id,
    facility_name,
    survey_type,
    month,
    response_count,
    response_rate_pct,
    satisfied_pct,
    satisfied_pct_change,
    nps,
    nps_change
from {{ ref('mart_satisfaction_rollups') }}
where is_complete and sent_count + response_count > 0
order by organization_id, facility_name, survey_type, month
