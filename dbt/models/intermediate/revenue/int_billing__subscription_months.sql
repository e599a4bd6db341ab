with

earning as (
    select
        organization_id,
        subscription_id,
        account_id,
        top_account_id,
        is_known_account,
        month,
        month_end,
        earns_from,
        plan_tier,
        currency,
        reporting_currency,
        mrr,
        mrr_at_rate_of_1_months_ago_amount,
        mrr_at_rate_of_3_months_ago_amount,
        mrr_at_rate_of_12_months_ago_amount,
        mrr_amount
    from {{ ref('int_billing__subscription_states') }}
    where state = 'earning'
),

-- The lines of one currency have a rate together or not at all, so they add up without one.
currency_sums as (
    select
        organization_id,
        top_account_id,
        month,
        currency,
        sum(mrr) as mrr,
        sum(mrr_amount) as mrr_amount,
        min(mrr) as smallest_mrr
    from earning
    group by organization_id, top_account_id, month, currency
),

account_sums as (
    select
        organization_id,
        top_account_id,
        month,
        min(smallest_mrr) as smallest_mrr,
        sum(mrr_amount) as mrr_amount,
        max(if(mrr_amount is null, mrr, null)) as largest_mrr_without_rate
    from currency_sums
    group by organization_id, top_account_id, month
),

-- A credit line has a negative MRR. An account pays if its lines add up to more than 0, or may do so at a rate that is missing.
final as (
    select
        earning.organization_id,
        earning.subscription_id,
        earning.account_id,
        earning.top_account_id,
        earning.is_known_account,
        earning.month,
        earning.month_end,
        earning.earns_from,
        earning.plan_tier,
        earning.currency,
        earning.reporting_currency,
        earning.mrr,
        earning.mrr_at_rate_of_1_months_ago_amount,
        earning.mrr_at_rate_of_3_months_ago_amount,
        earning.mrr_at_rate_of_12_months_ago_amount,
        if(account_sums.mrr_amount < 0, null, earning.mrr_amount) as mrr_amount
    from earning
    inner join account_sums
        on account_sums.organization_id = earning.organization_id
        and account_sums.top_account_id = earning.top_account_id
        and account_sums.month = earning.month
    where
        account_sums.smallest_mrr > 0
        or account_sums.mrr_amount > 0
        or account_sums.largest_mrr_without_rate > 0
)

select *
from final
