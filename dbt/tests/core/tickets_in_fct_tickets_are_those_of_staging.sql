{{
    config(
        tags=['critical'],
        meta={'refresh_every': '24h'},
        error_if="!= 0 and countif(difference != 'other priority') != 0"
    )
}}
-- Reconciliation: tickets in staging = tickets in fct_tickets, ticket by ticket, after an incremental run too. A ticket that
-- names another priority than its changes end in only warns: the changes count, and the support system needs repair.
select
    coalesce(staged.organization_id, built.organization_id) as organization_id,
    coalesce(staged.ticket_id, built.ticket_id) as ticket_id,
    case
        when built.ticket_id is null then 'missing'
        when staged.ticket_id is null then 'surplus'
        else 'other priority'
    end as difference,
    built.priority as priority_by_history,
    staged.priority as priority_of_ticket
from {{ ref('stg_support__tickets') }} as staged
full outer join {{ ref('fct_tickets') }} as built
    on built.organization_id = staged.organization_id
    and built.ticket_id = staged.ticket_id
where
    staged.ticket_id is null
    or built.ticket_id is null
    or built.priority != coalesce(staged.priority, 'unknown')
