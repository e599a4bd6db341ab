{{ config(cluster_by=['organization_id', 'account_id']) }}
{%- set recent_from = 'timestamp_sub(' ~ as_of() ~ ', interval ' ~ var('recent_days') ~ ' day)' -%}
with

-- The organizations that have subscriptions at all.
with_subscriptions as (
    select distinct organization_id
    from {{ ref('conformed_subscriptions') }}
),

accounts as (
    select
        account_key,
        organization_id,
        account_id,
        top_account_id,
        is_top_account
    from {{ ref('dim_accounts') }}
),

revenue as (
    select
        organization_id,
        account_id,
        cohort_month,
        month = {{ first_day_of('month', last_day_seen()) }} as is_current,
        movement,
        earning_since,
        subscription_count,
        mrr_amount
    from {{ ref('fct_revenue') }}
),

paused as (
    select
        organization_id,
        top_account_id,
        count(*) as subscription_count
    from {{ ref('int_billing__subscription_states') }}
    where month = {{ first_day_of('month', last_day_seen()) }} and state = 'paused'
    group by organization_id, top_account_id
),

-- A subscription that begins and ends within a month never has MRR at the end of one, but its account may have paid.
-- A paid invoice without an amount paid does not say whether anything was paid.
paid_invoices as (
    select
        accounts.organization_id,
        accounts.top_account_id,
        logical_or(invoices.amount_paid > 0) as is_payment
    from {{ ref('fct_invoices') }} as invoices
    inner join accounts
        on accounts.organization_id = invoices.organization_id
        and accounts.account_id = invoices.account_id
    where invoices.is_paid
    group by accounts.organization_id, accounts.top_account_id
),

paying_histories as (
    select
        organization_id,
        account_id,
        min(cohort_month) as first_paid_month,
        sum(if(is_current, mrr_amount, 0)) as current_mrr_amount,
        logical_or(is_current and subscription_count > 0) as is_paying,
        logical_or(movement = 'reactivation' and earning_since >= {{ recent_from }}) as is_won_back,
        logical_or(movement = 'new' and earning_since >= {{ recent_from }}) as is_onboarding
    from revenue
    group by organization_id, account_id
),

staged as (
    select
        accounts.account_key,
        accounts.organization_id,
        accounts.account_id,
        accounts.is_top_account,
        case
            when not accounts.is_top_account and with_subscriptions.organization_id is not null then 0
            when accounts.is_top_account
                then {{ zero_without_rows(
                    'with_subscriptions.organization_id is not null', 'paying_histories.account_id',
                    'paying_histories.current_mrr_amount'
                ) }}
        end as current_mrr_amount,
        paying_histories.first_paid_month,
        case
            when with_subscriptions.organization_id is null then 'unknown'
            when
                paying_histories.account_id is null
                and paid_invoices.top_account_id is not null
                and paid_invoices.is_payment is null
                then 'unknown'
            when paying_histories.account_id is null and not coalesce(paid_invoices.is_payment, false) then 'prospect'
            when not coalesce(paying_histories.is_paying, false) and paused.subscription_count > 0 then 'paused'
            when not coalesce(paying_histories.is_paying, false) then 'churned'
            when paying_histories.is_won_back then 'won_back'
            when paying_histories.is_onboarding then 'onboarding'
            else 'active'
        end as lifecycle_stage
    from accounts
    left join with_subscriptions
        on with_subscriptions.organization_id = accounts.organization_id
    left join paying_histories
        on paying_histories.organization_id = accounts.organization_id
        and paying_histories.account_id = accounts.top_account_id
    left join paused
        on paused.organization_id = accounts.organization_id
        and paused.top_account_id = accounts.top_account_id
    left join paid_invoices
        on paid_invoices.organization_id = accounts.organization_id
        and paid_invoices.top_account_id = accounts.top_account_id
),

final as (
    select
        account_key,
        organization_id,
        account_id,
        is_top_account,
        current_mrr_amount,
        12 * current_mrr_amount as current_arr_amount,
        first_paid_month,
        lifecycle_stage
    from staged
)

select *
from final
