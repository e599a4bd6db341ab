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

recorded as (
    select
        organization_id,
        has_leads,
        has_deals,
        has_invoices,
        has_orders,
        has_outreach,
        has_compliance_checks
    from {{ ref('int_organizations__recorded') }}
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

-- Deals may not say when they were closed. Then no row of the organization has a figure of closed deals.
closings as (
    select
        organization_id,
        logical_or(won_deal_count is not null) as are_known
    from pipeline
    group by organization_id
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
        {{ zero_without_rows('recorded.has_leads', 'pipeline.facility_id', 'pipeline.lead_count') }} as lead_count,
        {{ zero_without_rows('recorded.has_leads', 'pipeline.facility_id', 'pipeline.won_lead_count') }}
            as won_lead_count,
        {{ zero_without_rows('recorded.has_leads', 'pipeline.facility_id', 'pipeline.weighted_lead_amount') }}
            as weighted_lead_amount,
        {{ zero_without_rows('recorded.has_leads', 'pipeline.facility_id', 'pipeline.leads_without_rate') }}
            as leads_without_rate,
        {{ zero_without_rows('recorded.has_deals', 'pipeline.facility_id', 'pipeline.deal_count') }} as deal_count,
        {{ zero_without_rows('closings.are_known', 'pipeline.facility_id', 'pipeline.won_deal_count') }}
            as won_deal_count,
        {{ zero_without_rows('closings.are_known', 'pipeline.facility_id', 'pipeline.lost_deal_count') }}
            as lost_deal_count,
        {{ zero_without_rows('closings.are_known', 'pipeline.facility_id', 'pipeline.won_deal_amount') }}
            as won_deal_amount,
        {{ zero_without_rows('closings.are_known', 'pipeline.facility_id', 'pipeline.won_deals_without_rate') }}
            as won_deals_without_rate,
        pipeline.lead_conversion_pct,
        pipeline.deal_win_rate_pct,
        {{ zero_without_rows('recorded.has_invoices', 'revenue.facility_id', 'revenue.invoice_count') }}
            as invoice_count,
        {{ zero_without_rows('recorded.has_invoices', 'revenue.facility_id', 'revenue.invoiced_amount') }}
            as invoiced_amount,
        {{ zero_without_rows('recorded.has_invoices', 'revenue.facility_id', 'revenue.outstanding_amount') }}
            as outstanding_amount,
        {{ zero_without_rows('recorded.has_invoices', 'revenue.facility_id', 'revenue.invoices_without_rate') }}
            as invoices_without_rate,
        {{ zero_without_rows('recorded.has_orders', 'revenue.facility_id', 'revenue.order_count') }} as order_count,
        {{ zero_without_rows('recorded.has_orders', 'revenue.facility_id', 'revenue.order_revenue') }} as order_revenue,
        {{ zero_without_rows('recorded.has_orders', 'revenue.facility_id', 'revenue.order_tax_amount') }}
            as order_tax_amount,
        {{ zero_without_rows('recorded.has_orders', 'revenue.facility_id', 'revenue.order_shipping_amount') }}
            as order_shipping_amount,
        {{ zero_without_rows('recorded.has_orders', 'revenue.facility_id', 'revenue.order_charged_amount') }}
            as order_charged_amount,
        {{ zero_without_rows('recorded.has_orders', 'revenue.facility_id', 'revenue.orders_without_charges') }}
            as orders_without_charges,
        {{ zero_without_rows('recorded.has_orders', 'revenue.facility_id', 'revenue.orders_without_rate') }}
            as orders_without_rate,
        revenue.collection_rate_pct,
        revenue.average_order_value,
        {{ zero_without_rows('recorded.has_outreach', 'outreach.facility_id', 'outreach.outreach_count') }}
            as outreach_count,
        {{ zero_without_rows('recorded.has_outreach', 'outreach.facility_id', 'outreach.responded_count') }}
            as responded_count,
        {{ zero_without_rows('recorded.has_outreach', 'outreach.facility_id', 'outreach.converted_count') }}
            as converted_count,
        outreach.response_rate_pct,
        outreach.conversion_rate_pct,
        {{ zero_without_rows('recorded.has_compliance_checks', 'compliance.facility_id', 'compliance.check_count') }}
            as check_count,
        {{ zero_without_rows('recorded.has_compliance_checks', 'compliance.facility_id', 'compliance.passed_count') }}
            as passed_count,
        {{ zero_without_rows('recorded.has_compliance_checks', 'compliance.facility_id', 'compliance.failed_count') }}
            as failed_count,
        {{ zero_without_rows('recorded.has_compliance_checks', 'compliance.facility_id', 'compliance.overdue_count') }}
            as overdue_count,
        compliance.compliance_rate_pct,
        organizations.reporting_currency
    from months
    left join organizations
        on organizations.organization_id = months.organization_id
    left join recorded
        on recorded.organization_id = months.organization_id
    left join closings
        on closings.organization_id = months.organization_id
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
