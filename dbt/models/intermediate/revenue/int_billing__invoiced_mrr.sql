{{ config(schema='ops', alias='invoiced_mrr', materialized='table', cluster_by=['organization_id', 'month']) }}
{#- A smaller difference between amounts per month comes from the rounding of invoices to cents. -#}
{%- set rounding = '0.05' -%}
with

subscriptions as (
    select
        organization_id,
        subscription_id,
        currency,
        status,
        billing_interval,
        interval_count,
        started_at,
        trial_ends_at,
        ended_at
    from {{ ref('stg_billing__subscriptions') }}
),

billing_intervals as (
    select
        billing_interval,
        periods_per_year
    from {{ ref('billing_intervals') }}
),

invoice_statuses as (
    select
        status,
        is_revenue
    from {{ ref('invoice_statuses') }}
),

-- An invoice without a subscription cannot be compared.
invoices as (
    select
        organization_id,
        subscription_id,
        currency,
        status,
        period_start,
        period_end,
        subtotal_amount
    from {{ ref('stg_billing__invoices') }}
    where issued_at < {{ as_of() }} and subscription_id is not null and period_start < period_end
),

earning as (
    select
        organization_id,
        subscription_id,
        month,
        currency,
        mrr
    from {{ ref('int_billing__subscription_months') }}
    where {{ month_is_complete('month') }}
),

invoice_months as (
    select
        invoices.organization_id,
        invoices.subscription_id,
        invoices.currency,
        invoices.status,
        invoices.period_end,
        invoices.subtotal_amount,
        month
    from invoices
    cross join
        unnest(
            generate_date_array(
                {{ first_day_of('month', "greatest(date(invoices.period_start), date '1970-01-01')") }},
                least(date(invoices.period_end), {{ last_day_seen() }}),
                interval 1 month
            )
        ) as month
),

-- The invoices whose period covers the month end, because MRR is measured at the month end.
invoiced as (
    select
        invoice_months.organization_id,
        invoice_months.subscription_id,
        invoice_months.month,
        max(invoice_months.currency) as currency,
        countif(coalesce(invoice_statuses.is_revenue, true)) as invoice_count,
        sum(if(coalesce(invoice_statuses.is_revenue, true), coalesce(invoice_months.subtotal_amount, 0), 0))
            as subtotal_amount
    from invoice_months
    left join invoice_statuses
        on invoice_statuses.status = invoice_months.status
    where
        {{ month_is_complete('invoice_months.month') }}
        and invoice_months.period_end >= timestamp(date_add(invoice_months.month, interval 1 month))
    group by invoice_months.organization_id, invoice_months.subscription_id, invoice_months.month
),

compared as (
    select
        coalesce(earning.organization_id, invoiced.organization_id) as organization_id,
        coalesce(earning.subscription_id, invoiced.subscription_id) as subscription_id,
        coalesce(earning.month, invoiced.month) as month,
        coalesce(earning.currency, invoiced.currency) as currency,
        earning.currency != invoiced.currency as is_other_currency,
        coalesce(earning.mrr, 0) as mrr,
        invoiced.subscription_id is not null as has_invoice,
        coalesce(invoiced.invoice_count, 0) as invoice_count,
        coalesce(invoiced.subtotal_amount, 0) as subtotal_amount
    from earning
    full outer join invoiced
        on invoiced.organization_id = earning.organization_id
        and invoiced.subscription_id = earning.subscription_id
        and invoiced.month = earning.month
),

normalised as (
    select
        compared.organization_id,
        compared.subscription_id,
        compared.month,
        compared.currency,
        compared.is_other_currency,
        compared.mrr,
        compared.has_invoice,
        compared.invoice_count,
        subscriptions.subscription_id is not null as is_known_subscription,
        subscriptions.status,
        subscriptions.started_at,
        subscriptions.trial_ends_at,
        subscriptions.ended_at,
        timestamp(date_add(compared.month, interval 1 month)) as month_end,
        coalesce(
            compared.subtotal_amount * billing_intervals.periods_per_year
            / cast(12 * nullif(greatest(subscriptions.interval_count, 0), 0) as numeric(38, 9)),
            compared.subtotal_amount
        ) as invoiced_mrr
    from compared
    left join subscriptions
        on subscriptions.organization_id = compared.organization_id
        and subscriptions.subscription_id = compared.subscription_id
    left join billing_intervals
        on billing_intervals.billing_interval = subscriptions.billing_interval
),

final as (
    select
        {{ surrogate_key(['organization_id', 'subscription_id', 'month']) }} as invoiced_mrr_key,
        organization_id,
        subscription_id,
        month,
        currency,
        mrr,
        invoiced_mrr,
        invoice_count,
        case
            when not is_known_subscription then 'unknown_subscription'
            when mrr > 0 and not has_invoice then 'not_invoiced'
            when mrr > 0 and invoice_count = 0 then 'invoice_taken_back'
            when is_other_currency then 'other_currency'
            when invoice_count > 1 then 'invoiced_twice'
            when abs(mrr - invoiced_mrr) < {{ rounding }} then 'agrees'
            when mrr > 0 then 'other_amount'
            when ended_at < month_end then 'ended_within_period'
            when not {{ has_earning_status() }} then status
            when trial_ends_at > month_end or started_at >= month_end then 'invoiced_early'
            else 'other_amount'
        end as reason
    from normalised
)

select *
from final
