{{
    config(
        severity='warn',
        meta={
            'reason': 'where a ticket names another priority than its changes end in, the changes count; the support system needs repair',
            'refresh_every': '24h'
        }
    )
}}
select
    tickets.organization_id,
    tickets.ticket_id,
    tickets.priority as priority_by_history,
    staged.priority as priority_of_ticket
from {{ ref('fct_tickets') }} as tickets
inner join {{ ref('stg_support__tickets') }} as staged
    on staged.organization_id = tickets.organization_id
    and staged.ticket_id = tickets.ticket_id
where tickets.priority != coalesce(staged.priority, 'unknown')
