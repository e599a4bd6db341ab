select
    organization_id,
    facility_name,
    rep_name,
    sent_month,
    channel,
    sent_count,
    response_rate_pct,
    conversion_rate_pct
from {{ ref('mart_rep_activity_by_channel') }}
where channel_rank = 1
order by organization_id, facility_name, rep_name, sent_month
