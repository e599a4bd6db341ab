select
    organization_id,
    month,
    dimension_name as channel,
    ticket_count,
    ticket_share_pct,
    median_response_calendar_minutes / 60 as median_response_hours,
    p95_response_calendar_minutes / 60 as p95_response_hours,
    median_resolution_calendar_minutes / 60 as median_resolution_hours,
    csat_positive_pct
from {{ ref('mtr_support_performance') }}
where dimension = 'channel' and is_complete and ticket_count > 0
order by organization_id asc, month asc, ticket_count desc
