{{ config(cluster_by=['organization_id', 'account_id']) }}
with

customers as (
    select *
    from {{ ref('int_customers__churn_scores') }}
),

levels as (
    select *
    from {{ ref('int_customers__churn_levels') }}
),

final as (
    select
        customers.account_key,
        customers.organization_id,
        customers.account_id,
        customers.account_name,
        customers.is_churned_30d,
        customers.is_churned_90d,
        customers.last_login_at,
        customers.days_since_login,
        customers.login_count,
        customers.event_count,
        customers.earlier_event_count,
        customers.product_count,
        customers.product_names,
        customers.open_ticket_count,
        customers.breached_ticket_count,
        customers.churn_risk_score,
        levels.churn_risk_level,
        levels.risk_level_basis,
        customers.segment,
        customers.plan_tier,
        customers.region,
        levels.lifecycle_stage,
        customers.owner_user_id,
        customers.owner_name,
        customers.subscription_count > 0 as is_paying,
        customers.mrr_amount,
        customers.arpa_amount,
        customers.arpa_month_count,
        customers.arpa_subscriptions_without_rate,
        customers.gross_margin_pct,
        customers.gross_margin_source,
        customers.opening_logo_count,
        customers.churned_logo_count,
        customers.segment_logo_churn_pct,
        customers.organization_opening_logo_count,
        customers.organization_churned_logo_count,
        customers.logo_churn_source,
        customers.logo_churn_pct,
        customers.lifetime_months,
        customers.estimated_clv_amount,
        customers.reporting_currency
    from customers
    inner join levels
        on levels.organization_id = customers.organization_id
        and levels.account_id = customers.account_id
    where customers.last_login_at is not null
)

select *
from final
