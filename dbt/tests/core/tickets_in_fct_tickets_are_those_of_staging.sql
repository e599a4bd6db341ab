{{ config(tags=['critical']) }}
-- Reconciliation: tickets in staging = tickets in fct_tickets, ticket by ticket, after an incremental run too.
select
    coalesce(staged.organization_id, built.organization_id) as organization_id,
    coalesce(staged.ticket_id, built.ticket_id) as ticket_id,
    if(built.ticket_id is null, 'missing', 'surplus') as difference
from {{ ref('stg_support__tickets') }} as staged
full outer join {{ ref('fct_tickets') }} as built
    on built.organization_id = staged.organization_id
    and built.ticket_id = staged.ticket_id
where staged.ticket_id is null or built.ticket_id is null
