select
    organization_id,
    segment as customer_segment,
    priority,
    sum(ticket_count) as tickets,
    100 * safe_divide(sum(response_met_count), sum(response_met_count + response_breached_count))
        as response_compliance_pct,
    100 * safe_divide(sum(resolution_met_count), sum(resolution_met_count + resolution_breached_count))
        as resolution_compliance_pct
from {{ ref('mart_sla_adherence') }}
group by organization_id, customer_segment, priority
order by organization_id, customer_segment, priority
