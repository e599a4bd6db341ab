{{ config(cluster_by=['organization_id', 'cohort_month']) }}
with

revenue as (
    select
        organization_id,
        cohort_month,
        month,
        months_since,
        reporting_currency,
        subscription_count,
        subscriptions_without_rate,
        mrr_amount,
        subscriptions_without_rate_of_cohort_month,
        mrr_at_rate_of_cohort_month_amount
    from {{ ref('fct_revenue') }}
),

cohorts as (
    select
        organization_id,
        cohort_month,
        any_value(reporting_currency) as reporting_currency,
        count(*) as cohort_account_count,
        sum(mrr_amount) as cohort_mrr_amount,
        sum(subscriptions_without_rate) as cohort_subscriptions_without_rate
    from revenue
    where months_since = 0
    group by organization_id, cohort_month
),

ages as (
    select
        organization_id,
        max(months_since) as oldest_age
    from revenue
    group by organization_id
),

-- Every cohort has as many rows as the oldest, so that a grid of them has no holes.
cells as (
    select
        cohorts.organization_id,
        cohorts.cohort_month,
        month,
        date_diff(month, cohorts.cohort_month, month) as months_since,
        {{ month_is_complete('month') }} as is_complete
    from cohorts
    inner join ages
        on ages.organization_id = cohorts.organization_id
    cross join
        unnest(
            generate_date_array(
                cohorts.cohort_month,
                date_add(cohorts.cohort_month, interval ages.oldest_age month),
                interval 1 month
            )
        ) as month
),

retained as (
    select
        organization_id,
        cohort_month,
        month,
        countif(subscription_count > 0) as retained_account_count,
        sum(mrr_at_rate_of_cohort_month_amount) as retained_mrr_amount,
        sum(subscriptions_without_rate_of_cohort_month) as retained_subscriptions_without_rate,
        sum(mrr_amount) as retained_mrr_at_month_rates_amount,
        sum(subscriptions_without_rate) as retained_subscriptions_without_month_rate
    from revenue
    where {{ month_is_complete('month') }}
    group by organization_id, cohort_month, month
),

final as (
    select
        {{ generate_surrogate_key(['cells.organization_id', 'cells.cohort_month', 'cells.months_since']) }} as revenue_cohort_key,
        cells.organization_id,
        cells.cohort_month,
        cells.months_since,
        cells.month,
        cells.is_complete,
        cohorts.reporting_currency,
        cohorts.cohort_account_count,
        cohorts.cohort_mrr_amount,
        cohorts.cohort_subscriptions_without_rate,
        retained.retained_account_count,
        retained.retained_mrr_amount,
        retained.retained_subscriptions_without_rate,
        retained.retained_mrr_at_month_rates_amount,
        retained.retained_subscriptions_without_month_rate,
        100 * retained.retained_account_count / cohorts.cohort_account_count as logo_retention_pct,
        cast(100 * retained.retained_mrr_amount / nullif(cohorts.cohort_mrr_amount, 0) as float64) as revenue_retention_pct,
        cast(100 * retained.retained_mrr_at_month_rates_amount / nullif(cohorts.cohort_mrr_amount, 0) as float64)
            as revenue_retention_at_month_rates_pct
    from cells
    inner join cohorts
        on cohorts.organization_id = cells.organization_id
        and cohorts.cohort_month = cells.cohort_month
    left join retained
        on retained.organization_id = cells.organization_id
        and retained.cohort_month = cells.cohort_month
        and retained.month = cells.month
)

select *
from final
