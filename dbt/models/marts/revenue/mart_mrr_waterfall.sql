{{
    config(
        partition_by={'field': 'month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'account_id']
    )
}}
with

revenue as (
    select
        organization_id,
        account_id,
        account_key,
        month,
        is_complete,
        reporting_currency,
        opening_mrr_amount,
        movement,
        movement_amount,
        fx_amount,
        mrr_amount,
        subscriptions_without_rate
    from {{ ref('fct_revenue') }}
),

accounts as (
    select
        account_key,
        account_name,
        owner_name
    from {{ ref('dim_accounts') }}
),

account_months as (
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

final as (
    select
        {{ generate_surrogate_key(['revenue.organization_id', 'revenue.account_id', 'revenue.month']) }} as mrr_waterfall_key,
        revenue.organization_id,
        revenue.account_id,
        revenue.account_key,
        coalesce(accounts.account_name, 'unknown') as account_name,
        coalesce(account_months.base_segment, 'unknown') as segment,
        coalesce(account_months.base_plan_tier, 'unknown') as plan_tier,
        coalesce(account_months.base_region, 'unknown') as region,
        coalesce(account_months.segment_today, 'unknown') as segment_today,
        coalesce(account_months.plan_tier_today, 'unknown') as plan_tier_today,
        coalesce(account_months.region_today, 'unknown') as region_today,
        coalesce(accounts.owner_name, 'unknown') as owner_name,
        revenue.month,
        revenue.is_complete,
        revenue.reporting_currency,
        revenue.movement,
        revenue.opening_mrr_amount,
        if(revenue.movement = 'new', revenue.movement_amount, 0) as new_amount,
        if(revenue.movement = 'expansion', revenue.movement_amount, 0) as expansion_amount,
        if(revenue.movement = 'reactivation', revenue.movement_amount, 0) as reactivation_amount,
        if(revenue.movement = 'contraction', -revenue.movement_amount, 0) as contraction_amount,
        if(revenue.movement = 'churn', -revenue.movement_amount, 0) as churn_amount,
        revenue.fx_amount,
        revenue.mrr_amount as closing_mrr_amount,
        revenue.subscriptions_without_rate
    from revenue
    left join accounts
        on accounts.account_key = revenue.account_key
    left join account_months
        on account_months.organization_id = revenue.organization_id
        and account_months.account_id = revenue.account_id
        and account_months.month = revenue.month
)

select *
from final
