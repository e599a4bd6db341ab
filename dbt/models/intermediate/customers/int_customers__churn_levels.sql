{{ config(materialized='table', access='protected') }}
{%- set month = first_day_of('month', as_of_date()) -%}
with

settings as (
    select
        least_level_coverage,
        calibration_months,
        least_leavers,
        least_scored_accounts
    from {{ ref('churn_risk_settings') }}
),

levels as (
    select
        churn_risk_level,
        level_order,
        top_pct,
        left_pct,
        is_at_risk,
        contact_within_days
    from {{ ref('churn_risk_levels') }}
),

customers as (
    select
        organization_id,
        account_id,
        lifecycle_stage,
        subscription_count,
        data_coverage,
        churn_risk_score,
        recommended_action,
        action_reason
    from {{ ref('int_customers__churn_scores') }}
),

accounts as (
    select
        organization_id,
        account_id,
        top_account_id
    from {{ ref('dim_accounts') }}
),

departures as (
    select
        organization_id,
        account_id,
        month
    from {{ ref('fct_revenue') }}
    where movement = 'churn'
),

-- The last score of each account and month counts.
history as (
    select
        history.organization_id,
        history.account_id,
        date_trunc(history.score_date, month) as month,
        history.churn_risk_score
    from {{ ref('int_customers__churn_history') }} as history
    cross join settings
    where history.data_coverage >= settings.least_level_coverage
    qualify
        row_number() over (
            partition by history.organization_id, history.account_id, date_trunc(history.score_date, month)
            order by history.scored_at desc
        ) = 1
),

-- An account may have been merged since it was scored. Then the revenue of its top account says whether it left.
outcomes as (
    select
        history.organization_id,
        history.account_id,
        accounts.top_account_id,
        history.month,
        history.churn_risk_score,
        count(departures.month) > 0 as has_left
    from history
    inner join accounts
        on accounts.organization_id = history.organization_id
        and accounts.account_id = history.account_id
    cross join settings
    left join departures
        on departures.organization_id = accounts.organization_id
        and departures.account_id = accounts.top_account_id
        and departures.month >= history.month
        and date_diff(departures.month, history.month, month) <= settings.calibration_months
    where date_diff({{ month }}, history.month, month) > settings.calibration_months
    group by
        history.organization_id, history.account_id, accounts.top_account_id, history.month, history.churn_risk_score
),

calibrated_organizations as (
    select outcomes.organization_id
    from outcomes
    cross join settings
    where outcomes.has_left
    group by outcomes.organization_id, settings.least_leavers
    having count(distinct outcomes.top_account_id) >= settings.least_leavers
),

cumulated as (
    select
        organization_id,
        churn_risk_score,
        count(if(has_left, account_id, null)) over (partition by organization_id order by churn_risk_score desc) as left_count,
        count(*) over (partition by organization_id order by churn_risk_score desc) as scored_count
    from outcomes
),

thresholds as (
    select
        cumulated.organization_id,
        levels.churn_risk_level,
        min(cumulated.churn_risk_score) as from_score
    from cumulated
    cross join levels
    cross join settings
    where
        cumulated.scored_count >= settings.least_scored_accounts
        and 100 * cumulated.left_count >= levels.left_pct * cumulated.scored_count
    group by cumulated.organization_id, levels.churn_risk_level
),

based as (
    select
        customers.organization_id,
        customers.account_id,
        customers.churn_risk_score,
        case
            when customers.subscription_count = 0 then 'without_mrr'
            when customers.subscription_count is null then 'too_little_data'
            when customers.data_coverage < settings.least_level_coverage then 'too_little_data'
            when calibrated_organizations.organization_id is null then 'ranked'
            else 'calibrated'
        end as risk_level_basis
    from customers
    cross join settings
    left join calibrated_organizations
        on calibrated_organizations.organization_id = customers.organization_id
),

-- Accounts with equal scores share the last of their places, so a level never has more accounts than its share.
placed as (
    select
        organization_id,
        account_id,
        churn_risk_score,
        risk_level_basis,
        count(*) over (partition by organization_id, risk_level_basis order by churn_risk_score desc) as place,
        count(*) over (partition by organization_id, risk_level_basis) as account_count
    from based
),

reached as (
    select
        placed.organization_id,
        placed.account_id,
        max(levels.level_order) as level_order
    from placed
    cross join levels
    left join thresholds
        on thresholds.organization_id = placed.organization_id
        and thresholds.churn_risk_level = levels.churn_risk_level
    where
        case placed.risk_level_basis
            when 'ranked' then levels.top_pct is null or 100 * placed.place <= levels.top_pct * placed.account_count
            when 'calibrated' then levels.left_pct is null or placed.churn_risk_score >= thresholds.from_score
        end
    group by placed.organization_id, placed.account_id
),

final as (
    select
        customers.organization_id,
        customers.account_id,
        levels.churn_risk_level,
        placed.risk_level_basis,
        if(customers.lifecycle_stage = 'active' and levels.is_at_risk, 'at_risk', customers.lifecycle_stage)
            as lifecycle_stage,
        levels.contact_within_days,
        if(levels.contact_within_days is null, null, customers.recommended_action) as recommended_action,
        if(levels.contact_within_days is null, null, customers.action_reason) as action_reason
    from customers
    inner join placed
        on placed.organization_id = customers.organization_id
        and placed.account_id = customers.account_id
    left join reached
        on reached.organization_id = customers.organization_id
        and reached.account_id = customers.account_id
    left join levels
        on levels.level_order = reached.level_order
)

select *
from final
