{{
    config(
        partition_by={'field': 'month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'account_id']
    )
}}
{#- Sums of NUMERICs in another order differ by less than this, because of rounding. Such a difference is no movement. -#}
{%- set smallest_movement = '0.0001' -%}
{%- set account_history = 'over (partition by organization_id, account_id order by month)' -%}
{%- set compared_months_ago = [3, 12] -%}
with

subscription_months as (
    select
        organization_id,
        top_account_id as account_id,
        is_known_account,
        month,
        earns_from,
        currency,
        reporting_currency,
        mrr,
        mrr_amount,
        mrr_at_rate_of_1_months_ago_amount,
        mrr_at_rate_of_3_months_ago_amount,
        mrr_at_rate_of_12_months_ago_amount
    from {{ ref('int_billing__subscription_months') }}
),

currency_months as (
    select
        organization_id,
        currency,
        month,
        rate_to_usd,
        reporting_rate_to_usd
    from {{ ref('int_billing__currency_months') }}
),

-- Credit lines in another currency can outweigh the rest at earlier rates. The MRR of an account is never below 0.
account_months as (
    select
        organization_id,
        account_id,
        month,
        min(earns_from) as earning_since,
        count(*) as subscription_count,
        countif(mrr_amount is null) as subscriptions_without_rate,
        countif(mrr_at_rate_of_1_months_ago_amount is null) as subscriptions_without_earlier_rate,
        countif(mrr_at_rate_of_3_months_ago_amount is null) as subscriptions_without_rate_of_3_months_ago,
        countif(mrr_at_rate_of_12_months_ago_amount is null) as subscriptions_without_rate_of_12_months_ago,
        sum(coalesce(mrr_amount, 0)) as mrr_amount,
        greatest(sum(mrr_at_rate_of_1_months_ago_amount), 0) as mrr_at_earlier_rate,
        greatest(sum(coalesce(mrr_at_rate_of_3_months_ago_amount, 0)), 0) as mrr_at_rate_of_3_months_ago_amount,
        greatest(sum(coalesce(mrr_at_rate_of_12_months_ago_amount, 0)), 0) as mrr_at_rate_of_12_months_ago_amount
    from subscription_months
    group by organization_id, account_id, month
),

accounts as (
    select
        organization_id,
        account_id,
        logical_or(is_known_account) as is_known_account,
        any_value(reporting_currency) as reporting_currency,
        min(month) as cohort_month
    from subscription_months
    group by organization_id, account_id
),

at_cohort_rates as (
    select
        subscription_months.organization_id,
        subscription_months.account_id,
        subscription_months.month,
        {{ to_reporting_currency(
            'subscription_months.mrr', 'subscription_months.currency', 'subscription_months.reporting_currency',
            'currency_months.rate_to_usd', 'currency_months.reporting_rate_to_usd'
        ) }} as mrr_amount
    from subscription_months
    inner join accounts
        on accounts.organization_id = subscription_months.organization_id
        and accounts.account_id = subscription_months.account_id
    left join currency_months
        on currency_months.organization_id = subscription_months.organization_id
        and currency_months.currency = subscription_months.currency
        and currency_months.month = accounts.cohort_month
),

account_months_at_cohort_rates as (
    select
        organization_id,
        account_id,
        month,
        greatest(sum(coalesce(mrr_amount, 0)), 0) as mrr_amount,
        countif(mrr_amount is null) as subscriptions_without_rate
    from at_cohort_rates
    group by organization_id, account_id, month
),

months as (
    select
        accounts.organization_id,
        accounts.account_id,
        accounts.is_known_account,
        accounts.reporting_currency,
        accounts.cohort_month,
        month
    from accounts
    cross join
        unnest(generate_date_array(accounts.cohort_month, {{ last_day_seen() }}, interval 1 month)) as month
),

gapless as (
    select
        months.organization_id,
        months.account_id,
        months.is_known_account,
        months.month,
        months.reporting_currency,
        months.cohort_month,
        account_months.earning_since,
        coalesce(account_months.subscription_count, 0) as subscription_count,
        coalesce(account_months.subscriptions_without_rate, 0) as subscriptions_without_rate,
        coalesce(account_months.subscriptions_without_earlier_rate, 0) as subscriptions_without_earlier_rate,
        coalesce(account_months.subscriptions_without_rate_of_3_months_ago, 0)
            as subscriptions_without_rate_of_3_months_ago,
        coalesce(account_months.subscriptions_without_rate_of_12_months_ago, 0)
            as subscriptions_without_rate_of_12_months_ago,
        coalesce(account_months.mrr_amount, 0) as mrr_amount,
        coalesce(account_months.mrr_at_earlier_rate, 0) as mrr_at_earlier_rate,
        coalesce(account_months.mrr_at_rate_of_3_months_ago_amount, 0) as mrr_at_rate_of_3_months_ago_amount,
        coalesce(account_months.mrr_at_rate_of_12_months_ago_amount, 0) as mrr_at_rate_of_12_months_ago_amount,
        coalesce(account_months_at_cohort_rates.mrr_amount, 0) as mrr_at_rate_of_cohort_month_amount,
        coalesce(account_months_at_cohort_rates.subscriptions_without_rate, 0) as subscriptions_without_rate_of_cohort_month
    from months
    left join account_months
        on account_months.organization_id = months.organization_id
        and account_months.account_id = months.account_id
        and account_months.month = months.month
    left join account_months_at_cohort_rates
        on account_months_at_cohort_rates.organization_id = months.organization_id
        and account_months_at_cohort_rates.account_id = months.account_id
        and account_months_at_cohort_rates.month = months.month
),

with_history as (
    select
        organization_id,
        account_id,
        is_known_account,
        month,
        reporting_currency,
        cohort_month,
        earning_since,
        subscription_count,
        subscriptions_without_rate,
        subscriptions_without_rate_of_3_months_ago,
        subscriptions_without_rate_of_12_months_ago,
        mrr_amount,
        mrr_at_earlier_rate,
        mrr_at_rate_of_cohort_month_amount,
        subscriptions_without_rate_of_cohort_month,
        mrr_at_rate_of_3_months_ago_amount,
        mrr_at_rate_of_12_months_ago_amount,
        {%- for ago in compared_months_ago %}
        coalesce(lag(mrr_amount, {{ ago }}) {{ account_history }}, 0) as mrr_{{ ago }}_months_ago_amount,
        {%- endfor %}
        coalesce(lag(mrr_amount) {{ account_history }}, 0) as opening_mrr_amount,
        coalesce(lag(subscription_count) {{ account_history }}, 0) as opening_subscription_count,
        subscriptions_without_rate + subscriptions_without_earlier_rate
        + lag(subscriptions_without_rate) {{ account_history }} as not_compared_subscription_count
    from gapless
),

moved as (
    select
        organization_id,
        account_id,
        is_known_account,
        month,
        reporting_currency,
        cohort_month,
        earning_since,
        subscription_count,
        subscriptions_without_rate,
        subscriptions_without_rate_of_3_months_ago,
        subscriptions_without_rate_of_12_months_ago,
        mrr_amount,
        mrr_at_earlier_rate,
        mrr_at_rate_of_cohort_month_amount,
        subscriptions_without_rate_of_cohort_month,
        mrr_at_rate_of_3_months_ago_amount,
        mrr_at_rate_of_12_months_ago_amount,
        mrr_3_months_ago_amount,
        mrr_12_months_ago_amount,
        opening_mrr_amount,
        case
            when month = cohort_month then 'new'
            when subscription_count > 0 and opening_subscription_count = 0 then 'reactivation'
            when subscription_count = 0 and opening_subscription_count > 0 then 'churn'
            when not_compared_subscription_count > 0 then 'unknown'
            when mrr_at_earlier_rate - opening_mrr_amount >= {{ smallest_movement }} then 'expansion'
            when opening_mrr_amount - mrr_at_earlier_rate >= {{ smallest_movement }} then 'contraction'
            else 'none'
        end as movement
    from with_history
),

measured as (
    select
        organization_id,
        account_id,
        is_known_account,
        month,
        reporting_currency,
        cohort_month,
        earning_since,
        subscription_count,
        subscriptions_without_rate,
        subscriptions_without_rate_of_3_months_ago,
        subscriptions_without_rate_of_12_months_ago,
        mrr_amount,
        mrr_at_rate_of_3_months_ago_amount,
        mrr_at_rate_of_12_months_ago_amount,
        mrr_at_rate_of_cohort_month_amount,
        subscriptions_without_rate_of_cohort_month,
        mrr_3_months_ago_amount,
        mrr_12_months_ago_amount,
        opening_mrr_amount,
        movement,
        case
            when movement in ('new', 'reactivation') then mrr_amount
            when movement = 'churn' then -opening_mrr_amount
            when movement in ('expansion', 'contraction') then mrr_at_earlier_rate - opening_mrr_amount
            when movement = 'none' then 0
        end as movement_amount
    from moved
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'account_id', 'month']) }} as revenue_key,
        organization_id,
        account_id,
        if(is_known_account, {{ generate_surrogate_key(['organization_id', 'account_id']) }}, null) as account_key,
        month,
        {{ month_is_complete('month') }} as is_complete,
        reporting_currency,
        cohort_month,
        date_diff(month, cohort_month, month) as months_since,
        earning_since,
        subscription_count,
        subscriptions_without_rate,
        mrr_amount,
        12 * mrr_amount as arr_amount,
        opening_mrr_amount,
        movement,
        movement_amount,
        mrr_amount - opening_mrr_amount - coalesce(movement_amount, 0) as fx_amount,
        mrr_3_months_ago_amount,
        mrr_at_rate_of_3_months_ago_amount,
        subscriptions_without_rate_of_3_months_ago,
        mrr_12_months_ago_amount,
        mrr_at_rate_of_12_months_ago_amount,
        subscriptions_without_rate_of_12_months_ago,
        mrr_at_rate_of_cohort_month_amount,
        subscriptions_without_rate_of_cohort_month
    from measured
)

select *
from final
