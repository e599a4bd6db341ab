{{ config(tags=['critical']) }}
-- Reconciliation: the tickets of mart_ticket_analytics are those of fct_tickets, and its categories and causes exist.
with

facts as (
    select ticket_key
    from {{ ref('fct_tickets') }}
),

categories as (
    select category_key
    from {{ ref('dim_ticket_categories') }}
),

root_causes as (
    select root_cause_key
    from {{ ref('dim_root_causes') }}
),

analytics as (
    select
        ticket_key,
        category_key,
        root_cause_key
    from {{ ref('mart_ticket_analytics') }}
)

select
    facts.ticket_key as ticket_in_facts,
    analytics.ticket_key as ticket_in_mart,
    categories.category_key,
    root_causes.root_cause_key
from facts
full outer join analytics
    on analytics.ticket_key = facts.ticket_key
left join categories
    on categories.category_key = analytics.category_key
left join root_causes
    on root_causes.root_cause_key = analytics.root_cause_key
where
    facts.ticket_key is null
    or analytics.ticket_key is null
    or categories.category_key is null
    or root_causes.root_cause_key is null
