{% snapshot snap_pipeline_kpis %}
{{
    config(
        unique_key='pipeline_kpi_key',
        strategy='check',
        check_cols=[
            'is_complete', 'lead_count', 'sql_count', 'opportunity_count', 'won_lead_count', 'lost_lead_count', 'lead_amount',
            'open_lead_amount', 'weighted_lead_amount', 'leads_without_rate', 'deal_count', 'deal_amount', 'deals_without_rate',
            'won_deal_count', 'lost_deal_count', 'won_deal_amount', 'won_deals_without_rate', 'median_sales_cycle_days',
        ],
        hard_deletes='invalidate',
        pre_hook=[
            "{{ delete_versions_since_as_of(this) }}",
            "{{ reopen_versions_ended_since_as_of(this) }}",
        ]
    )
}}
select
    pipeline_kpi_key,
    organization_id,
    facility_id,
    month,
    is_complete,
    reporting_currency,
    lead_count,
    sql_count,
    opportunity_count,
    won_lead_count,
    lost_lead_count,
    lead_amount,
    open_lead_amount,
    weighted_lead_amount,
    leads_without_rate,
    lead_conversion_pct,
    deal_count,
    deal_amount,
    deals_without_rate,
    won_deal_count,
    lost_deal_count,
    deal_win_rate_pct,
    won_deal_amount,
    won_deals_without_rate,
    median_sales_cycle_days
from {{ ref('mart_pipeline_kpis') }}
{% endsnapshot %}
