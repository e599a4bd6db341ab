{{ config(tags=['critical']) }}
{%- set money = 'numeric(38, 9)' -%}
{%- set before = '< ' ~ as_of() -%}
{%- set measures = {
    'lead_count': ['fct_leads', 'created_at ' ~ before, '1', 'mart_pipeline_kpis'],
    'deal_count': ['fct_deals', 'created_at ' ~ before, '1', 'mart_pipeline_kpis'],
    'invoiced_amount': ['fct_invoices', 'is_revenue and issued_at ' ~ before, 'total_amount_reporting', 'mart_revenue_kpis'],
    'order_revenue': ['fct_orders', 'ordered_at ' ~ before, 'revenue_amount', 'mart_revenue_kpis'],
    'outreach_count': ['fct_outreach', 'sent_at ' ~ before, '1', 'mart_outreach_kpis'],
    'check_count': ['fct_compliance_checks', 'due_month <= ' ~ last_day_seen(), '1', 'mart_compliance_kpis'],
} %}
-- Reconciliation: every fact before as_of is in one month of the KPI marts. mart_combined_kpis repeats their figures.
with

facts as (
    {%- for measure, (fact, seen, value, mart) in measures.items() %}
    select
        organization_id,
        '{{ measure }}' as measure,
        sum(cast(coalesce({{ value }}, 0) as {{ money }})) as total
    from {{ ref(fact) }}
    where {{ seen }}
    group by organization_id
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

marts as (
    {%- for measure, (fact, seen, value, mart) in measures.items() %}
    select
        organization_id,
        '{{ measure }}' as measure,
        sum(cast({{ measure }} as {{ money }})) as total
    from {{ ref(mart) }}
    group by organization_id
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

combined as (
    {%- for measure in measures %}
    select
        organization_id,
        '{{ measure }}' as measure,
        sum(cast({{ measure }} as {{ money }})) as total
    from {{ ref('mart_combined_kpis') }}
    group by organization_id
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

together as (
    select
        organization_id,
        measure,
        total as total_in_facts,
        0 as total_in_marts,
        0 as total_in_combined
    from facts
    union all
    select
        organization_id,
        measure,
        0 as total_in_facts,
        total as total_in_marts,
        0 as total_in_combined
    from marts
    union all
    select
        organization_id,
        measure,
        0 as total_in_facts,
        0 as total_in_marts,
        total as total_in_combined
    from combined
),

totals as (
    select
        organization_id,
        measure,
        sum(total_in_facts) as total_in_facts,
        sum(total_in_marts) as total_in_marts,
        sum(total_in_combined) as total_in_combined
    from together
    group by organization_id, measure
)

select
    organization_id,
    measure,
    total_in_facts,
    total_in_marts,
    total_in_combined
from totals
where total_in_facts != total_in_marts or total_in_facts != total_in_combined
