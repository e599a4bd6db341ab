select
    organization_id,
    dimension_name as issue_type,
    sum(ticket_count) as tickets,
    100 * safe_divide(sum(ticket_count), sum(month_ticket_count)) as share_pct,
    100 * safe_divide(sum(resolution_met_count), sum(resolution_met_count + resolution_breached_count))
        as resolution_compliance_pct,
    100 * safe_divide(sum(satisfied_count), sum(csat_response_count)) as csat_positive_pct
from {{ ref('mtr_support_performance') }}
where dimension = 'category' and is_complete
group by organization_id, issue_type
order by organization_id asc, tickets desc
