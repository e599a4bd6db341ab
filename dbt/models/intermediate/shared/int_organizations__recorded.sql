{#- Core shows the loaded rows, not which systems a company has. One row of an organization proves that it has the system. -#}
{{ config(materialized='table', access='protected') }}
with

organizations as (
    select organization_id
    from {{ ref('dim_organizations') }}
),

contacts as (
    select distinct organization_id
    from {{ ref('dim_contacts') }}
),

subscriptions as (
    select distinct organization_id
    from {{ ref('conformed_subscriptions') }}
),

invoices as (
    select distinct organization_id
    from {{ ref('fct_invoices') }}
),

orders as (
    select distinct organization_id
    from {{ ref('fct_orders') }}
),

deals as (
    select distinct organization_id
    from {{ ref('fct_deals') }}
),

leads as (
    select distinct organization_id
    from {{ ref('fct_leads') }}
),

outreach as (
    select distinct organization_id
    from {{ ref('fct_outreach') }}
),

activities as (
    select distinct organization_id
    from {{ ref('fct_activities') }}
),

usage as (
    select distinct organization_id
    from {{ ref('fct_usage') }}
),

tickets as (
    select distinct organization_id
    from {{ ref('fct_tickets') }}
),

surveys as (
    select distinct organization_id
    from {{ ref('fct_survey_responses') }}
),

compliance_checks as (
    select distinct organization_id
    from {{ ref('fct_compliance_checks') }}
    where due_date is not null
),

final as (
    select
        organizations.organization_id,
        contacts.organization_id is not null as has_contacts,
        subscriptions.organization_id is not null as has_subscriptions,
        invoices.organization_id is not null as has_invoices,
        orders.organization_id is not null as has_orders,
        deals.organization_id is not null as has_deals,
        leads.organization_id is not null as has_leads,
        outreach.organization_id is not null as has_outreach,
        activities.organization_id is not null as has_activities,
        usage.organization_id is not null as has_usage,
        tickets.organization_id is not null as has_tickets,
        surveys.organization_id is not null as has_surveys,
        compliance_checks.organization_id is not null as has_compliance_checks
    from organizations
    left join contacts
        on contacts.organization_id = organizations.organization_id
    left join subscriptions
        on subscriptions.organization_id = organizations.organization_id
    left join invoices
        on invoices.organization_id = organizations.organization_id
    left join orders
        on orders.organization_id = organizations.organization_id
    left join deals
        on deals.organization_id = organizations.organization_id
    left join leads
        on leads.organization_id = organizations.organization_id
    left join outreach
        on outreach.organization_id = organizations.organization_id
    left join activities
        on activities.organization_id = organizations.organization_id
    left join usage
        on usage.organization_id = organizations.organization_id
    left join tickets
        on tickets.organization_id = organizations.organization_id
    left join surveys
        on surveys.organization_id = organizations.organization_id
    left join compliance_checks
        on compliance_checks.organization_id = organizations.organization_id
)

select *
from final
