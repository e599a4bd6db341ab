{{ config(tags=['critical']) }}
{%- set before = '< ' ~ as_of() -%}
{%- set measures = {
    'account': ['dim_accounts', 'true', '1', '1'],
    'deal': ['fct_deals', 'created_at ' ~ before, '1', 'deal_count'],
    'ticket': ['fct_tickets', 'created_at ' ~ before, '1', 'ticket_count'],
    'activity': ['fct_activities', 'created_at ' ~ before, '1', 'activity_count'],
    'order_revenue': ['fct_orders', 'ordered_at ' ~ before, 'revenue_amount', 'order_revenue'],
    'invoiced_amount': ['fct_invoices', 'is_revenue and issued_at ' ~ before, 'total_amount_reporting', 'invoiced_amount'],
} %}
-- Reconciliation: every account has one row, and its figures sum to the facts of known accounts.
with

together as (
    {%- for measure, (fact, seen, value, column) in measures.items() %}
    select
        '{{ measure }}' as measure,
        organization_id,
        cast({{ value }} as numeric(38, 9)) as in_facts,
        0 as in_mart
    from {{ ref(fact) }}
    where account_key is not null and {{ seen }}
    union all
    select
        '{{ measure }}' as measure,
        organization_id,
        0 as in_facts,
        cast({{ column }} as numeric(38, 9)) as in_mart
    from {{ ref('mart_customer_360') }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select
    measure,
    organization_id,
    sum(coalesce(in_facts, 0)) as total_in_facts,
    sum(in_mart) as total_in_mart
from together
group by measure, organization_id
having sum(coalesce(in_facts, 0)) != sum(in_mart)
