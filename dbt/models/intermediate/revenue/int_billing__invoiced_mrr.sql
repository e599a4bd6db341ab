{{ config(schema='ops', alias='invoiced_mrr', materialized='table', cluster_by=['organization_id', 'month']) }}
{#- A smaller difference between amounts per month comes from the rounding of invoices to cents. -#}
{%- set rounding = '0.05' -%}
with

subscriptions as (
    select
        organization_id,
        subscription_id,
        billing_interval,
        interval_count,
        started_at,
        trial_ends_at,
        ended_at
    from {{ ref('int_billing__subscription_versions') }}
    where is_current
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

-- An invoice without a subscription or a period cannot be compared, nor can an organization without any other invoice.
invoices as (
    select
        organization_id,
        subscription_id,
        currency,
        status,
        period_start,
        period_end,
        subtotal_amount
    from {{ ref('conformed_invoices') }}
    where issued_at < {{ as_of() }} and subscription_id is not null and period_start < period_end
),

compared_organizations as (
    select distinct organization_id
    from invoices
),

states as (
    select
        states.organization_id,
        states.subscription_id,
        states.month,
        states.billing_interval,
        states.interval_count,
        states.currency,
        states.state,
        if(states.state = 'earning', states.mrr, 0) as mrr
    from {{ ref('int_billing__subscription_states') }} as states
    inner join compared_organizations
        on compared_organizations.organization_id = states.organization_id
    where {{ month_is_complete('states.month') }}
),

invoice_months as (
    select
        invoices.organization_id,
        invoices.subscription_id,
        invoices.currency,
        invoices.period_end,
        invoices.subtotal_amount,
        if(invoices.status is null, null, coalesce(invoice_statuses.is_revenue, true)) as is_revenue,
        month
    from invoices
    left join invoice_statuses
        on invoice_statuses.status = invoices.status
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
        {{ count_known('invoice_months.is_revenue') }} as invoice_count,
        {{ sum_known('invoice_months.is_revenue', 'if(invoice_months.currency is null, null, invoice_months.subtotal_amount)') }}
            as subtotal_amount
    from invoice_months
    where
        {{ month_is_complete('invoice_months.month') }}
        and invoice_months.period_end >= timestamp(date_add(invoice_months.month, interval 1 month))
    group by invoice_months.organization_id, invoice_months.subscription_id, invoice_months.month
),

compared as (
    select
        coalesce(states.organization_id, invoiced.organization_id) as organization_id,
        coalesce(states.subscription_id, invoiced.subscription_id) as subscription_id,
        coalesce(states.month, invoiced.month) as month,
        coalesce(if(states.state = 'earning', states.currency, null), invoiced.currency) as currency,
        states.state = 'earning' and states.currency != invoiced.currency as is_other_currency,
        states.billing_interval,
        states.interval_count,
        coalesce(states.state, 'not_in_force') as state,
        coalesce(states.mrr, 0) as mrr,
        invoiced.subscription_id is not null as has_invoice,
        if(invoiced.subscription_id is null, 0, invoiced.invoice_count) as invoice_count,
        if(invoiced.subscription_id is null, 0, invoiced.subtotal_amount) as subtotal_amount
    from states
    full outer join invoiced
        on invoiced.organization_id = states.organization_id
        and invoiced.subscription_id = states.subscription_id
        and invoiced.month = states.month
    where states.state = 'earning' or invoiced.subscription_id is not null
),

-- The billing period is that of the month end, or of the run if the subscription is not in force then.
with_dates as (
    select
        compared.organization_id,
        compared.subscription_id,
        compared.month,
        compared.currency,
        compared.is_other_currency,
        compared.state,
        compared.mrr,
        compared.has_invoice,
        compared.invoice_count,
        compared.subtotal_amount,
        coalesce(compared.billing_interval, subscriptions.billing_interval) as billing_interval,
        coalesce(compared.interval_count, subscriptions.interval_count) as interval_count,
        subscriptions.subscription_id is not null as is_known_subscription,
        subscriptions.started_at,
        subscriptions.trial_ends_at,
        subscriptions.ended_at
    from compared
    left join subscriptions
        on subscriptions.organization_id = compared.organization_id
        and subscriptions.subscription_id = compared.subscription_id
),

normalised as (
    select
        with_dates.organization_id,
        with_dates.subscription_id,
        with_dates.month,
        with_dates.currency,
        with_dates.is_other_currency,
        with_dates.state,
        with_dates.mrr,
        with_dates.has_invoice,
        with_dates.invoice_count,
        with_dates.is_known_subscription,
        with_dates.started_at,
        with_dates.trial_ends_at,
        with_dates.ended_at,
        timestamp(date_add(with_dates.month, interval 1 month)) as month_end,
        coalesce(
            with_dates.subtotal_amount * billing_intervals.periods_per_year
            / cast(12 * nullif(greatest(with_dates.interval_count, 0), 0) as numeric(38, 9)),
            with_dates.subtotal_amount
        ) as invoiced_mrr
    from with_dates
    left join billing_intervals
        on billing_intervals.billing_interval = with_dates.billing_interval
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'subscription_id', 'month']) }} as invoiced_mrr_key,
        organization_id,
        subscription_id,
        month,
        currency,
        mrr,
        invoiced_mrr,
        invoice_count,
        case
            when not is_known_subscription then 'unknown_subscription'
            when state = 'earning' and not has_invoice then 'not_invoiced'
            when state = 'earning' and invoice_count = 0 then 'invoice_taken_back'
            when is_other_currency then 'other_currency'
            when invoice_count > 1 then 'invoiced_twice'
            when invoiced_mrr is null then 'unknown_amount'
            when abs(mrr - invoiced_mrr) < {{ rounding }} then 'agrees'
            when state = 'earning' then 'other_amount'
            when ended_at < month_end then 'ended_within_period'
            when trial_ends_at >= month_end or started_at >= month_end then 'invoiced_early'
            when state not in ('not_in_force', 'free') then state
            else 'other_amount'
        end as reason
    from normalised
)

select *
from final
