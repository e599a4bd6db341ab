{{ config(cluster_by=['organization_id', 'account_id']) }}
{%- set value_at_risk = 'customers.estimated_clv_amount * customers.churn_risk_score / 100' -%}
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
        row_number() over (
            partition by customers.organization_id
            order by coalesce(round({{ value_at_risk }}, 2), 0) desc, customers.churn_risk_score desc, customers.account_id asc
        ) as priority_rank,
        customers.churn_risk_score,
        levels.churn_risk_level,
        levels.risk_level_basis,
        customers.reason_1,
        customers.reason_2,
        customers.reason_3,
        levels.recommended_action,
        levels.action_reason,
        levels.contact_within_days,
        customers.owner_user_id,
        customers.owner_name,
        customers.segment,
        customers.plan_tier,
        customers.region,
        levels.lifecycle_stage,
        customers.is_churned_30d,
        customers.is_churned_90d,
        customers.last_login_at,
        customers.days_since_login,
        customers.recency_part,
        customers.recency_contribution,
        customers.event_count,
        customers.earlier_event_count,
        customers.event_change_pct,
        customers.frequency_part,
        customers.frequency_contribution,
        customers.product_count,
        customers.product_names,
        customers.holdings_part,
        customers.holdings_contribution,
        customers.open_ticket_count,
        customers.breached_ticket_count,
        customers.tickets_part,
        customers.tickets_contribution,
        customers.mrr_amount,
        customers.mrr_3_months_ago_amount,
        customers.mrr_at_rate_of_3_months_ago_amount,
        customers.mrr_growth_pct,
        customers.revenue_part,
        customers.revenue_contribution,
        customers.data_coverage,
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
        {{ value_at_risk }} as value_at_risk_amount,
        customers.reporting_currency
    from customers
    inner join levels
        on levels.organization_id = customers.organization_id
        and levels.account_id = customers.account_id
    where customers.subscription_count > 0
)

select *
from final
