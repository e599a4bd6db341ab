{{ config(cluster_by=['organization_id', 'dimension', 'month']) }}
{#- Dimension → its value for a row of `cells`. -#}
{%- set dimensions = {
    'total': "'total'", 'segment': 'segment', 'plan_tier': 'plan_tier', 'region': 'region', 'segment_today': 'segment_today',
    'plan_tier_today': 'plan_tier_today', 'region_today': 'region_today',
} -%}
{%- set sums = [
    'account_count', 'base_account_count', 'retained_account_count', 'base_mrr_amount', 'retained_mrr_amount',
    'retained_base_mrr_amount', 'base_subscriptions_without_rate', 'retained_subscriptions_without_rate',
    'returned_account_count', 'returned_mrr_amount', 'opening_mrr_amount', 'expansion_amount', 'contraction_amount',
    'churn_amount', 'unknown_movement_account_count',
] -%}
with

revenue as (
    select
        organization_id,
        account_id,
        month,
        reporting_currency,
        subscription_count,
        subscriptions_without_rate,
        subscriptions_without_rate_of_12_months_ago,
        opening_mrr_amount,
        movement,
        movement_amount,
        mrr_12_months_ago_amount,
        mrr_at_rate_of_12_months_ago_amount,
        min(subscription_count) over (
            partition by organization_id, account_id
            order by month
            rows between 11 preceding and 1 preceding
        ) as least_subscription_count_since_base
    from {{ ref('fct_revenue') }}
),

accounts as (
    select
        organization_id,
        account_id,
        month,
        base_segment,
        base_plan_tier,
        base_region,
        segment_today,
        plan_tier_today,
        region_today
    from {{ ref('fct_account_months') }}
),

with_base as (
    select
        revenue.organization_id,
        revenue.month,
        revenue.reporting_currency,
        revenue.subscription_count,
        revenue.subscriptions_without_rate_of_12_months_ago,
        revenue.opening_mrr_amount,
        revenue.movement,
        revenue.movement_amount,
        revenue.mrr_12_months_ago_amount,
        revenue.mrr_at_rate_of_12_months_ago_amount,
        coalesce(accounts.base_segment, 'unknown') as segment,
        coalesce(accounts.base_plan_tier, 'unknown') as plan_tier,
        coalesce(accounts.base_region, 'unknown') as region,
        coalesce(accounts.segment_today, 'unknown') as segment_today,
        coalesce(accounts.plan_tier_today, 'unknown') as plan_tier_today,
        coalesce(accounts.region_today, 'unknown') as region_today,
        coalesce(base.subscription_count > 0, false) as is_in_base,
        base.subscription_count > 0 and revenue.subscription_count > 0 and revenue.least_subscription_count_since_base = 0
            as has_returned,
        coalesce(base.subscriptions_without_rate, 0) as base_subscriptions_without_rate
    from revenue
    left join revenue as base
        on base.organization_id = revenue.organization_id
        and base.account_id = revenue.account_id
        and base.month = date_sub(revenue.month, interval 12 month)
    left join accounts
        on accounts.organization_id = revenue.organization_id
        and accounts.account_id = revenue.account_id
        and accounts.month = revenue.month
),

cells as (
    select
        organization_id,
        month,
        segment,
        plan_tier,
        region,
        segment_today,
        plan_tier_today,
        region_today,
        any_value(reporting_currency) as reporting_currency,
        countif(subscription_count > 0) as account_count,
        countif(is_in_base) as base_account_count,
        countif(is_in_base and subscription_count > 0) as retained_account_count,
        sum(mrr_12_months_ago_amount) as base_mrr_amount,
        sum(if(is_in_base, mrr_at_rate_of_12_months_ago_amount, 0)) as retained_mrr_amount,
        sum(least(mrr_at_rate_of_12_months_ago_amount, mrr_12_months_ago_amount)) as retained_base_mrr_amount,
        countif(has_returned) as returned_account_count,
        sum(if(has_returned, mrr_at_rate_of_12_months_ago_amount, 0)) as returned_mrr_amount,
        sum(base_subscriptions_without_rate) as base_subscriptions_without_rate,
        sum(if(is_in_base, subscriptions_without_rate_of_12_months_ago, 0)) as retained_subscriptions_without_rate,
        sum(opening_mrr_amount) as opening_mrr_amount,
        sum(if(movement = 'expansion', movement_amount, 0)) as expansion_amount,
        sum(if(movement = 'contraction', -movement_amount, 0)) as contraction_amount,
        sum(if(movement = 'churn', -movement_amount, 0)) as churn_amount,
        countif(movement = 'unknown') as unknown_movement_account_count
    from with_base
    group by organization_id, month, segment, plan_tier, region, segment_today, plan_tier_today, region_today
),

by_dimension as (
    {%- for dimension, value in dimensions.items() %}
    select
        organization_id,
        month,
        '{{ dimension }}' as dimension,
        {{ value }} as dimension_value,
        {%- for column in sums %}
        sum({{ column }}) as {{ column }},
        {%- endfor %}
        any_value(reporting_currency) as reporting_currency
    from cells
    group by organization_id, month, dimension_value
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'month', 'dimension', 'dimension_value']) }} as nrr_summary_key,
        organization_id,
        month,
        dimension,
        dimension_value,
        {{ month_is_complete('month') }} as is_complete,
        reporting_currency,
        account_count,
        base_account_count,
        retained_account_count,
        base_mrr_amount,
        retained_mrr_amount,
        retained_base_mrr_amount,
        returned_account_count,
        returned_mrr_amount,
        base_subscriptions_without_rate,
        retained_subscriptions_without_rate,
        opening_mrr_amount,
        expansion_amount,
        contraction_amount,
        churn_amount,
        unknown_movement_account_count,
        cast(100 * retained_mrr_amount / nullif(base_mrr_amount, 0) as float64) as nrr_pct,
        cast(100 * retained_base_mrr_amount / nullif(base_mrr_amount, 0) as float64) as grr_pct,
        cast(100 * returned_mrr_amount / nullif(base_mrr_amount, 0) as float64) as returned_mrr_pct,
        cast(
            100 * (opening_mrr_amount + expansion_amount - contraction_amount - churn_amount)
            / nullif(opening_mrr_amount, 0) as float64
        ) as flow_nrr_pct,
        cast(
            100 * (opening_mrr_amount - contraction_amount - churn_amount) / nullif(opening_mrr_amount, 0) as float64
        ) as flow_grr_pct
    from by_dimension
)

select *
from final
