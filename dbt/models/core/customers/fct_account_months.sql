{{ config(cluster_by=['organization_id', 'month']) }}
{%- set since_base = '(partition by organization_id, account_id order by month rows between 12 preceding and current row)' -%}
{%- set whole = '(partition by organization_id, account_id order by month desc)' -%}
with

revenue as (
    select
        organization_id,
        account_id,
        month,
        least(timestamp(date_add(month, interval 1 month)), {{ as_of() }}) as month_end
    from {{ ref('fct_revenue') }}
),

subscriptions as (
    select
        organization_id,
        top_account_id,
        month,
        plan_tier,
        mrr_amount
    from {{ ref('int_billing__subscription_months') }}
    where plan_tier is not null
),

-- The first version counts before it was loaded too. The last one counts after a deletion.
versions as (
    select
        organization_id,
        account_id,
        segment,
        plan_tier,
        region,
        if(version_number = 1, null, valid_from) as valid_from,
        lead(valid_from) over (partition by organization_id, account_id order by version_number) as valid_to
    from {{ ref('dim_accounts_history') }}
),

plans as (
    select
        organization_id,
        top_account_id,
        month,
        plan_tier,
        round(coalesce(sum(mrr_amount), 0), 4) as mrr_amount
    from subscriptions
    group by organization_id, top_account_id, month, plan_tier
),

main_plans as (
    select
        organization_id,
        top_account_id,
        month,
        plan_tier
    from plans
    qualify
        row_number() over (
            partition by organization_id, top_account_id, month
            order by mrr_amount desc, plan_tier asc
        ) = 1
),

attributes as (
    select
        revenue.organization_id,
        revenue.account_id,
        revenue.month,
        versions.segment,
        coalesce(main_plans.plan_tier, versions.plan_tier) as plan_tier,
        versions.region
    from revenue
    left join versions
        on versions.organization_id = revenue.organization_id
        and versions.account_id = revenue.account_id
        and coalesce(versions.valid_from < revenue.month_end, true)
        and coalesce(versions.valid_to >= revenue.month_end, true)
    left join main_plans
        on main_plans.organization_id = revenue.organization_id
        and main_plans.top_account_id = revenue.account_id
        and main_plans.month = revenue.month
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'account_id', 'month']) }} as account_month_key,
        organization_id,
        account_id,
        month,
        segment,
        plan_tier,
        region,
        first_value(segment) over {{ since_base }} as base_segment,
        first_value(plan_tier) over {{ since_base }} as base_plan_tier,
        first_value(region) over {{ since_base }} as base_region,
        first_value(segment) over {{ whole }} as segment_today,
        first_value(plan_tier) over {{ whole }} as plan_tier_today,
        first_value(region) over {{ whole }} as region_today
    from attributes
)

select *
from final
