select
    tickets.organization_id,
    coalesce(accounts.segment, 'unknown') as customer_segment,
    tickets.priority,
    count(*) as tickets,
    100 * safe_divide(
        countif(tickets.response_state = 'met'), countif(tickets.response_state in ('met', 'breached'))
    ) as response_compliance_pct,
    100 * safe_divide(
        countif(tickets.resolution_state = 'met'), countif(tickets.resolution_state in ('met', 'breached'))
    ) as resolution_compliance_pct
from {{ ref('fct_tickets') }} as tickets
left join {{ ref('dim_accounts') }} as accounts
    on accounts.account_key = tickets.account_key
group by tickets.organization_id, customer_segment, tickets.priority
order by tickets.organization_id, customer_segment, tickets.priority
