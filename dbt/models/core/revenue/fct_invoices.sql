{{
    config(
        partition_by={'field': 'issued_date', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'account_id']
    )
}}
with

invoices as (
    select *
    from {{ ref('conformed_invoices') }}
),

organizations as (
    select
        organization_id,
        reporting_currency
    from {{ ref('dim_organizations') }}
),

accounts as (
    select
        organization_id,
        account_id,
        account_key
    from {{ ref('dim_accounts') }}
),

invoice_statuses as (
    select
        status,
        is_revenue
    from {{ ref('invoice_statuses') }}
),

rates as (
    select
        currency,
        rate_day,
        rate_to_usd
    from {{ ref('int_reference__fx_rates_daily') }}
),

converted as (
    select
        invoices.organization_id,
        invoices.invoice_id,
        invoices.account_id,
        invoices.subscription_id,
        invoices.status,
        invoices.is_paid,
        invoices.is_overdue,
        invoices.currency,
        invoices.subtotal_amount,
        invoices.tax_amount,
        invoices.total_amount,
        invoices.amount_paid,
        invoices.issued_at,
        invoices.due_at,
        if(invoices.paid_at < {{ as_of() }}, invoices.paid_at, null) as paid_at,
        invoices.period_start,
        invoices.period_end,
        invoices.updated_at,
        organizations.reporting_currency,
        {{ to_reporting_currency(
            'invoices.subtotal_amount', 'invoices.currency', 'organizations.reporting_currency',
            'own_rates.rate_to_usd', 'reporting_rates.rate_to_usd'
        ) }} as subtotal_amount_reporting,
        {{ to_reporting_currency(
            'invoices.total_amount', 'invoices.currency', 'organizations.reporting_currency',
            'own_rates.rate_to_usd', 'reporting_rates.rate_to_usd'
        ) }} as total_amount_reporting,
        {{ to_reporting_currency(
            'invoices.amount_paid', 'invoices.currency', 'organizations.reporting_currency',
            'own_rates.rate_to_usd', 'reporting_rates.rate_to_usd'
        ) }} as amount_paid_reporting
    from invoices
    left join organizations
        on organizations.organization_id = invoices.organization_id
    {{ join_fx_rate('rates', 'own_rates', 'invoices.currency', 'date(invoices.issued_at)') }}
    {{ join_fx_rate('rates', 'reporting_rates', 'organizations.reporting_currency', 'date(invoices.issued_at)') }}
),

final as (
    select
        {{ generate_surrogate_key(['converted.organization_id', 'converted.invoice_id']) }} as invoice_key,
        converted.organization_id,
        converted.invoice_id,
        accounts.account_key,
        converted.account_id,
        converted.subscription_id,
        converted.status,
        if(converted.status is null, null, coalesce(invoice_statuses.is_revenue, true)) as is_revenue,
        converted.is_paid,
        converted.is_overdue,
        converted.currency,
        converted.reporting_currency,
        converted.subtotal_amount,
        converted.tax_amount,
        converted.total_amount,
        converted.amount_paid,
        converted.subtotal_amount_reporting,
        converted.total_amount_reporting,
        converted.amount_paid_reporting,
        converted.total_amount_reporting is not null as has_rate,
        converted.issued_at,
        date(converted.issued_at) as issued_date,
        {{ first_day_of('month', 'date(converted.issued_at)') }} as invoice_month,
        converted.due_at,
        converted.paid_at,
        converted.period_start,
        converted.period_end,
        converted.updated_at
    from converted
    left join accounts
        on accounts.organization_id = converted.organization_id
        and accounts.account_id = converted.account_id
    left join invoice_statuses
        on invoice_statuses.status = converted.status
)

select *
from final
