{{ config(tags=['critical'], group='data_platform') }}
-- Reconciliation: what staging shows, or its clean view, is in the fact or dimension, row by row, and nothing else is; rows that
-- stand for something missing aside.
{%- set built_from = {
    'dim_contacts': ['stg_crm__contacts', 'contact_id'],
    'dim_products': ['stg_crm__products', 'product_id'],
    'dim_users': ['stg_crm__users', 'user_id'],
    'fct_activities': ['stg_crm__activities', 'activity_id'],
    'fct_compliance_checks': ['stg_crm__compliance_checks', 'check_id'],
    'fct_deals': ['stg_crm__deals', 'deal_id'],
    'fct_invoices': ['stg_billing__invoices', 'invoice_id'],
    'fct_leads': ['stg_crm__leads', 'lead_id'],
    'fct_order_items': ['clean_crm__order_items', 'order_item_id'],
    'fct_outreach': ['stg_crm__outreach', 'outreach_id'],
} %}
{%- for relation, source in built_from.items() %}
select
    '{{ relation }}' as relation,
    coalesce(staged.organization_id, built.organization_id) as organization_id,
    coalesce(staged.{{ source[1] }}, built.{{ source[1] }}) as row_id,
    if(built.{{ source[1] }} is null, 'missing', 'surplus') as difference
from {{ ref(source[0]) }} as staged
full outer join {{ ref(relation) }} as built
    on built.organization_id = staged.organization_id
    and built.{{ source[1] }} = staged.{{ source[1] }}
where
    (staged.{{ source[1] }} is null or built.{{ source[1] }} is null)
    {%- if relation == 'dim_users' %}
    and not coalesce(built.is_unknown, false)
    {%- endif %}
{{ 'union all' if not loop.last }}
{%- endfor %}
