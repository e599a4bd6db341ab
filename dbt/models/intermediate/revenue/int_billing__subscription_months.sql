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

-- A credit line has a negative MRR. An account pays if its lines add up to more than 0.
final as (
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
    from earning
    qualify
        min(mrr) over account_month > 0
        or coalesce(sum(mrr_amount) over account_month, sum(mrr) over account_month) > 0
    window account_month as (partition by organization_id, top_account_id, month)
)

select *
from final
