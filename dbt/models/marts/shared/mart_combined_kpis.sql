{{
    config(
        partition_by={'field': 'month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'facility_id']
    )
}}
{#- What each of the four marts brings: figures that are 0 where it has no row, and figures that are unknown there. -#}
{%- set parts = {
    'pipeline': {
        'amounts': [
            'lead_count', 'won_lead_count', 'weighted_lead_amount', 'leads_without_rate', 'deal_count', 'won_deal_count',
            'lost_deal_count', 'won_deal_amount', 'won_deals_without_rate'
        ],
        'rates': ['lead_conversion_pct', 'deal_win_rate_pct'],
    },
    'revenue': {
        'amounts': [
            'invoice_count', 'invoiced_amount', 'outstanding_amount', 'invoices_without_rate', 'order_count', 'order_revenue',
            'orders_without_rate'
        ],
        'rates': ['collection_rate_pct', 'average_order_value'],
    },
    'outreach': {
        'amounts': ['outreach_count', 'responded_count', 'converted_count'],
        'rates': ['response_rate_pct', 'conversion_rate_pct'],
    },
    'compliance': {
        'amounts': ['check_count', 'passed_count', 'failed_count', 'overdue_count'],
        'rates': ['compliance_rate_pct'],
    },
} -%}
with

organizations as (
    select
        organization_id,
        reporting_currency
    from {{ ref('dim_organizations') }}
),

{% for part, columns in parts.items() -%}
{{ part }} as (
    select
        organization_id,
        facility_id,
        facility_name,
        month,
        {{ (columns['amounts'] + columns['rates']) | join(',\n        ') }}
    from {{ ref('mart_' ~ part ~ '_kpis') }}
),

{% endfor -%}
months as (
    {%- for part in parts %}
    select
        organization_id,
        facility_id,
        facility_name,
        month
    from {{ part }}
    {%- if not loop.last %}
    union distinct
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        {{ surrogate_key(['months.organization_id', 'months.facility_id', 'months.month']) }} as combined_kpi_key,
        months.organization_id,
        months.facility_id,
        months.facility_name,
        months.month,
        {{ month_is_complete('months.month') }} as is_complete,
        {%- for part, columns in parts.items() %}
        {%- for column in columns['amounts'] %}
        coalesce({{ part }}.{{ column }}, 0) as {{ column }},
        {%- endfor %}
        {%- for column in columns['rates'] %}
        {{ part }}.{{ column }},
        {%- endfor %}
        {%- endfor %}
        organizations.reporting_currency
    from months
    left join organizations
        on organizations.organization_id = months.organization_id
    {%- for part in parts %}
    left join {{ part }}
        on {{ part }}.organization_id = months.organization_id
        and {{ part }}.facility_id = months.facility_id
        and {{ part }}.month = months.month
    {%- endfor %}
)

select *
from final
