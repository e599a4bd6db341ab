select
    organization_id,
    facility_name,
    priority,
    created_month,
    median_resolution_calendar_minutes,
    mean_resolution_calendar_minutes,
    p95_resolution_calendar_minutes
from {{ ref('mart_ticket_sla_compliance') }}
where resolved_count > 0
order by organization_id, facility_name, created_month, priority
