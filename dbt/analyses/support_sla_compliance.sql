select
    organization_id,
    created_month,
    priority,
    sum(ticket_count) as tickets,
    100 * safe_divide(sum(resolved_count), sum(ticket_count)) as resolution_rate_pct,
    100 * safe_divide(sum(response_met_count), sum(response_met_count + response_breached_count))
        as response_compliance_pct,
    100 * safe_divide(sum(resolution_met_count), sum(resolution_met_count + resolution_breached_count))
        as resolution_compliance_pct
from {{ ref('mart_ticket_sla_compliance') }}
group by organization_id, created_month, priority
order by organization_id, created_month, priority
