select
    organization_id,
    facility_id,
    month,
    dbt_valid_from as seen_from,
    dbt_valid_to as seen_until,
    weighted_lead_amount,
    deal_win_rate_pct
from {{ ref('snap_pipeline_kpis') }}
order by organization_id, facility_id, month, seen_from
