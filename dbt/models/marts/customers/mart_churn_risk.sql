{{ config(cluster_by=['organization_id', 'account_id']) }}
{%- set value_at_risk = 'estimated_clv_amount * churn_risk_score / 100' -%}
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
        row_number() over (
            partition by organization_id
            order by coalesce(round({{ value_at_risk }}, 2), 0) desc, churn_risk_score desc, account_id asc
        ) as priority_rank,
        churn_risk_score,
        churn_risk_level,
        reason_1,
        reason_2,
        reason_3,
        recommended_action,
        contact_within_days,
        owner_user_id,
        owner_name,
        segment,
        plan_tier,
        region,
        lifecycle_stage,
        is_churned_30d,
        is_churned_90d,
        last_login_at,
        days_since_login,
        recency_part,
        recency_contribution,
        event_count,
        earlier_event_count,
        event_change_pct,
        frequency_part,
        frequency_contribution,
        product_count,
        product_names,
        holdings_part,
        holdings_contribution,
        open_ticket_count,
        breached_ticket_count,
        tickets_part,
        tickets_contribution,
        mrr_amount,
        mrr_3_months_ago_amount,
        mrr_at_rate_of_3_months_ago_amount,
        mrr_growth_pct,
        revenue_part,
        revenue_contribution,
        data_coverage,
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
        {{ value_at_risk }} as value_at_risk_amount,
        reporting_currency
    from customers
    where subscription_count > 0
)

select *
from final
