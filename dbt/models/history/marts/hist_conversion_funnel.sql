select
    conversion_funnel_key,
    organization_id,
    facility_id,
    rep_user_id,
    created_month,
    stage,
    lead_count,
    reached_count,
    next_reached_count,
    lost_count,
    conversion_to_next_pct,
    conversion_from_lead_pct
from {{ ref('mart_conversion_funnel') }}
