{{ config(cluster_by=['organization_id', 'account_id']) }}
with

customers as (
    select *
    from {{ ref('int_customers__churn_scores') }}
),

final as (
    select
        account_key,
        organization_id,
        account_id,
        account_name,
        is_churned_30d,
        is_churned_90d,
        last_login_at,
        days_since_login,
        login_count,
        event_count,
        earlier_event_count,
        product_count,
        product_names,
        open_ticket_count,
        breached_ticket_count,
        churn_risk_score,
        churn_risk_level,
        segment,
        plan_tier,
        region,
        lifecycle_stage,
        owner_user_id,
        owner_name,
        subscription_count > 0 as is_paying,
        mrr_amount,
        arpa_amount,
        arpa_month_count,
        arpa_subscriptions_without_rate,
        gross_margin_pct,
        gross_margin_source,
        opening_logo_count,
        churned_logo_count,
        segment_logo_churn_pct,
        organization_opening_logo_count,
        organization_churned_logo_count,
        logo_churn_source,
        logo_churn_pct,
        lifetime_months,
        estimated_clv_amount,
        reporting_currency
    from customers
    where last_login_at is not null
)

select *
from final
