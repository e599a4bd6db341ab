{{ config(tags=['critical'], meta={'refresh_every': '24h'}) }}
-- Reconciliation: tickets in fct_tickets = the sum over mart_ticket_sla_compliance, state by state.
with

facts as (
    select
        organization_id,
        count(*) as ticket_count,
        countif(response_state = 'met') as response_met_count,
        countif(response_state = 'breached') as response_breached_count,
        countif(resolution_state = 'met') as resolution_met_count,
        countif(resolution_state = 'breached') as resolution_breached_count
    from {{ ref('fct_tickets') }}
    group by organization_id
),

compliance as (
    select
        organization_id,
        sum(ticket_count) as ticket_count,
        sum(response_met_count) as response_met_count,
        sum(response_breached_count) as response_breached_count,
        sum(resolution_met_count) as resolution_met_count,
        sum(resolution_breached_count) as resolution_breached_count
    from {{ ref('mart_ticket_sla_compliance') }}
    group by organization_id
)

select
    facts.organization_id,
    facts.ticket_count as tickets_in_facts,
    compliance.ticket_count as tickets_in_mart
from facts
full outer join compliance
    on compliance.organization_id = facts.organization_id
where
    facts.organization_id is null
    or compliance.organization_id is null
    or facts.ticket_count != compliance.ticket_count
    or facts.response_met_count != compliance.response_met_count
    or facts.response_breached_count != compliance.response_breached_count
    or facts.resolution_met_count != compliance.resolution_met_count
    or facts.resolution_breached_count != compliance.resolution_breached_count
