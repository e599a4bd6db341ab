{{
    config(
        partition_by={'field': 'score_date', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'account_id']
    )
}}
with

scores as (
    select *
    from {{ ref('int_customers__health_daily') }}
),

-- If several runs scored a day, the last of them counts: it saw the largest part of the day.
final as (
    select
        customer_health_key,
        organization_id,
        account_id,
        account_key,
        score_date,
        scored_at,
        is_complete,
        scored_at = {{ as_of() }} as is_current,
        account_name,
        segment,
        plan_tier,
        region,
        owner_user_id,
        owner_name,
        reporting_currency,
        event_count,
        segment_account_count,
        usage_score,
        usage_contribution,
        open_ticket_count,
        ticket_count,
        breached_ticket_count,
        breached_ticket_pct,
        csat_response_count,
        mean_csat_score,
        support_score,
        support_contribution,
        mrr_amount,
        mrr_3_months_ago_amount,
        mrr_at_rate_of_3_months_ago_amount,
        mrr_growth_pct,
        revenue_score,
        revenue_contribution,
        used_category_count,
        feature_breadth_pct,
        active_day_count,
        engagement_score,
        engagement_contribution,
        data_coverage,
        health_score,
        health_tier
    from scores
    where scored_at <= {{ as_of() }}
    qualify scored_at = max(scored_at) over (partition by score_date)
)

select *
from final
