{{
    config(
        partition_by={'field': 'month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'facility_id']
    )
}}
with

organizations as (
    select
        organization_id,
        reporting_currency
    from {{ ref('dim_organizations') }}
),

pipeline as (
    select
        organization_id,
        facility_id,
        facility_name,
        month,
        lead_count,
        won_lead_count,
        weighted_lead_amount,
        leads_without_rate,
        deal_count,
        won_deal_count,
        lost_deal_count,
        won_deal_amount,
        won_deals_without_rate,
        lead_conversion_pct,
        deal_win_rate_pct
    from {{ ref('mart_pipeline_kpis') }}
),

revenue as (
    select
        organization_id,
        facility_id,
        facility_name,
        month,
        invoice_count,
        invoiced_amount,
        outstanding_amount,
        invoices_without_rate,
        order_count,
        order_revenue,
        order_tax_amount,
        order_shipping_amount,
        order_charged_amount,
        orders_without_charges,
        orders_without_rate,
        collection_rate_pct,
        average_order_value
    from {{ ref('mart_revenue_kpis') }}
),

outreach as (
    select
        organization_id,
        facility_id,
        facility_name,
        month,
        outreach_count,
        responded_count,
        converted_count,
        response_rate_pct,
        conversion_rate_pct
    from {{ ref('mart_outreach_kpis') }}
),

compliance as (
    select
        organization_id,
        facility_id,
        facility_name,
        month,
        check_count,
        passed_count,
        failed_count,
        overdue_count,
        compliance_rate_pct
    from {{ ref('mart_compliance_kpis') }}
),

months as (
    select
        organization_id,
        facility_id,
        facility_name,
        month
    from pipeline
    union distinct
    select
        organization_id,
        facility_id,
        facility_name,
        month
    from revenue
    union distinct
    select
        organization_id,
        facility_id,
        facility_name,
        month
    from outreach
    union distinct
    select
        organization_id,
        facility_id,
        facility_name,
        month
    from compliance
),

final as (
    select
        {{ generate_surrogate_key(['months.organization_id', 'months.facility_id', 'months.month']) }} as combined_kpi_key,
        months.organization_id,
        months.facility_id,
        months.facility_name,
        months.month,
        {{ month_is_complete('months.month') }} as is_complete,
        coalesce(pipeline.lead_count, 0) as lead_count,
        coalesce(pipeline.won_lead_count, 0) as won_lead_count,
        coalesce(pipeline.weighted_lead_amount, 0) as weighted_lead_amount,
        coalesce(pipeline.leads_without_rate, 0) as leads_without_rate,
        coalesce(pipeline.deal_count, 0) as deal_count,
        coalesce(pipeline.won_deal_count, 0) as won_deal_count,
        coalesce(pipeline.lost_deal_count, 0) as lost_deal_count,
        coalesce(pipeline.won_deal_amount, 0) as won_deal_amount,
        coalesce(pipeline.won_deals_without_rate, 0) as won_deals_without_rate,
        pipeline.lead_conversion_pct,
        pipeline.deal_win_rate_pct,
        coalesce(revenue.invoice_count, 0) as invoice_count,
        coalesce(revenue.invoiced_amount, 0) as invoiced_amount,
        coalesce(revenue.outstanding_amount, 0) as outstanding_amount,
        coalesce(revenue.invoices_without_rate, 0) as invoices_without_rate,
        coalesce(revenue.order_count, 0) as order_count,
        coalesce(revenue.order_revenue, 0) as order_revenue,
        coalesce(revenue.order_tax_amount, 0) as order_tax_amount,
        coalesce(revenue.order_shipping_amount, 0) as order_shipping_amount,
        coalesce(revenue.order_charged_amount, 0) as order_charged_amount,
        coalesce(revenue.orders_without_charges, 0) as orders_without_charges,
        coalesce(revenue.orders_without_rate, 0) as orders_without_rate,
        revenue.collection_rate_pct,
        revenue.average_order_value,
        coalesce(outreach.outreach_count, 0) as outreach_count,
        coalesce(outreach.responded_count, 0) as responded_count,
        coalesce(outreach.converted_count, 0) as converted_count,
        outreach.response_rate_pct,
        outreach.conversion_rate_pct,
        coalesce(compliance.check_count, 0) as check_count,
        coalesce(compliance.passed_count, 0) as passed_count,
        coalesce(compliance.failed_count, 0) as failed_count,
        coalesce(compliance.overdue_count, 0) as overdue_count,
        compliance.compliance_rate_pct,
        organizations.reporting_currency
    from months
    left join organizations
        on organizations.organization_id = months.organization_id
    left join pipeline
        on pipeline.organization_id = months.organization_id
        and pipeline.facility_id = months.facility_id
        and pipeline.month = months.month
    left join revenue
        on revenue.organization_id = months.organization_id
        and revenue.facility_id = months.facility_id
        and revenue.month = months.month
    left join outreach
        on outreach.organization_id = months.organization_id
        and outreach.facility_id = months.facility_id
        and outreach.month = months.month
    left join compliance
        on compliance.organization_id = months.organization_id
        and compliance.facility_id = months.facility_id
        and compliance.month = months.month
)

select *
from final
