{{
    config(
        partition_by={'field': 'created_month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'priority', 'segment']
    )
}}
with

accounts as (
    select
        account_key,
        top_account_key,
        segment
    from {{ ref('dim_accounts') }}
),

-- An account is in the segment of its customer, so that its tickets stand beside its revenue.
account_segments as (
    select
        accounts.account_key,
        customers.segment
    from accounts
    inner join accounts as customers
        on customers.account_key = accounts.top_account_key
),

tickets as (
    select
        tickets.organization_id,
        tickets.priority,
        coalesce(account_segments.segment, 'unknown') as segment,
        {{ first_day_of('month', 'tickets.created_date') }} as created_month,
        tickets.is_resolved,
        tickets.response_state,
        tickets.resolution_state,
        tickets.response_calendar_minutes,
        tickets.response_business_minutes,
        tickets.resolution_calendar_minutes,
        tickets.resolution_business_minutes
    from {{ ref('fct_tickets') }} as tickets
    left join account_segments
        on account_segments.account_key = tickets.account_key
),

with_percentiles as (
    select
        percentile_cont(response_calendar_minutes, 0.5) over by_grain as median_response_calendar_minutes,
        percentile_cont(response_calendar_minutes, 0.75) over by_grain as p75_response_calendar_minutes,
        percentile_cont(response_calendar_minutes, 0.95) over by_grain as p95_response_calendar_minutes,
        percentile_cont(response_business_minutes, 0.5) over by_grain as median_response_business_minutes,
        percentile_cont(response_business_minutes, 0.75) over by_grain as p75_response_business_minutes,
        percentile_cont(response_business_minutes, 0.95) over by_grain as p95_response_business_minutes,
        percentile_cont(resolution_calendar_minutes, 0.5) over by_grain as median_resolution_calendar_minutes,
        percentile_cont(resolution_calendar_minutes, 0.75) over by_grain as p75_resolution_calendar_minutes,
        percentile_cont(resolution_calendar_minutes, 0.95) over by_grain as p95_resolution_calendar_minutes,
        percentile_cont(resolution_business_minutes, 0.5) over by_grain as median_resolution_business_minutes,
        percentile_cont(resolution_business_minutes, 0.75) over by_grain as p75_resolution_business_minutes,
        percentile_cont(resolution_business_minutes, 0.95) over by_grain as p95_resolution_business_minutes,
        organization_id,
        priority,
        segment,
        created_month,
        is_resolved,
        response_state,
        resolution_state,
        response_calendar_minutes,
        response_business_minutes,
        resolution_calendar_minutes,
        resolution_business_minutes
    from tickets
    window by_grain as (partition by organization_id, priority, segment, created_month)
),

counted as (
    select
        organization_id,
        priority,
        segment,
        created_month,
        {{ count_sla_state('response_state', 'met') }} as response_met_count,
        {{ count_sla_state('response_state', 'breached') }} as response_breached_count,
        {{ count_sla_state('response_state', 'pending') }} as response_pending_count,
        countif(response_state = 'unknown') as response_unknown_count,
        {{ count_sla_state('resolution_state', 'met') }} as resolution_met_count,
        {{ count_sla_state('resolution_state', 'breached') }} as resolution_breached_count,
        {{ count_sla_state('resolution_state', 'pending') }} as resolution_pending_count,
        countif(resolution_state = 'unknown') as resolution_unknown_count,
        {{ count_merged() }} as merged_ticket_count,
        100 * countif(is_resolved and response_state = 'met')
        / nullif(countif(is_resolved and response_state in ('met', 'breached')), 0) as resolved_response_compliance_pct,
        100 * countif(is_resolved and resolution_state = 'met')
        / nullif(countif(is_resolved and resolution_state in ('met', 'breached')), 0) as resolved_resolution_compliance_pct,
        {{ exact_mean('response_calendar_minutes') }} as mean_response_calendar_minutes,
        any_value(median_response_calendar_minutes) as median_response_calendar_minutes,
        any_value(p75_response_calendar_minutes) as p75_response_calendar_minutes,
        any_value(p95_response_calendar_minutes) as p95_response_calendar_minutes,
        {{ exact_mean('response_business_minutes') }} as mean_response_business_minutes,
        any_value(median_response_business_minutes) as median_response_business_minutes,
        any_value(p75_response_business_minutes) as p75_response_business_minutes,
        any_value(p95_response_business_minutes) as p95_response_business_minutes,
        {{ exact_mean('resolution_calendar_minutes') }} as mean_resolution_calendar_minutes,
        any_value(median_resolution_calendar_minutes) as median_resolution_calendar_minutes,
        any_value(p75_resolution_calendar_minutes) as p75_resolution_calendar_minutes,
        any_value(p95_resolution_calendar_minutes) as p95_resolution_calendar_minutes,
        {{ exact_mean('resolution_business_minutes') }} as mean_resolution_business_minutes,
        any_value(median_resolution_business_minutes) as median_resolution_business_minutes,
        any_value(p75_resolution_business_minutes) as p75_resolution_business_minutes,
        any_value(p95_resolution_business_minutes) as p95_resolution_business_minutes,
        count(*) as ticket_count,
        {{ count_known('is_resolved') }} as resolved_count
    from with_percentiles
    group by organization_id, priority, segment, created_month
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'priority', 'segment', 'created_month']) }} as sla_adherence_key,
        organization_id,
        priority,
        segment,
        created_month,
        {{ month_is_complete('created_month') }} as is_complete,
        ticket_count,
        resolved_count,
        merged_ticket_count,
        response_met_count,
        response_breached_count,
        response_pending_count,
        response_unknown_count,
        100 * response_met_count / nullif(response_met_count + response_breached_count, 0)
            as response_compliance_pct,
        resolved_response_compliance_pct,
        mean_response_calendar_minutes,
        median_response_calendar_minutes,
        p75_response_calendar_minutes,
        p95_response_calendar_minutes,
        mean_response_business_minutes,
        median_response_business_minutes,
        p75_response_business_minutes,
        p95_response_business_minutes,
        resolution_met_count,
        resolution_breached_count,
        resolution_pending_count,
        resolution_unknown_count,
        100 * resolution_met_count / nullif(resolution_met_count + resolution_breached_count, 0)
            as resolution_compliance_pct,
        resolved_resolution_compliance_pct,
        mean_resolution_calendar_minutes,
        median_resolution_calendar_minutes,
        p75_resolution_calendar_minutes,
        p95_resolution_calendar_minutes,
        mean_resolution_business_minutes,
        median_resolution_business_minutes,
        p75_resolution_business_minutes,
        p95_resolution_business_minutes
    from counted
)

select *
from final
