{{
    config(
        partition_by={'field': 'created_month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'metric']
    )
}}
with

reconciled as (
    select
        organization_id,
        metric,
        {{ first_day_of('month', 'created_date') }} as created_month,
        state,
        reported_state,
        reason,
        is_agreed
    from {{ ref('fct_ticket_sla_reconciliation') }}
),

counted as (
    select
        organization_id,
        metric,
        created_month,
        count(*) as ticket_count,
        countif(reason = 'not_reported') as not_reported_count,
        countif(reason = 'merged') as merged_count,
        countif(reason = 'not_measured_here') as not_measured_here_count,
        countif(reason = 'not_decided_there') as not_decided_there_count,
        countif(reason = 'same') as same_count,
        countif(reason = 'priority_changed') as priority_changed_count,
        countif(reason = 'target') as target_count,
        countif(reason = 'open_past_target') as open_past_target_count,
        countif(reason = 'resolved_without_reply') as resolved_without_reply_count,
        countif(reason = 'reopened') as reopened_count,
        countif(reason = 'clock') as clock_count,
        countif(reason = 'paused') as paused_count,
        countif(reason = 'unexplained') as unexplained_count,
        countif(is_agreed is not null) as compared_count,
        countif(is_agreed) as agreed_count,
        countif(is_agreed is not null and state = 'met') as met_count,
        countif(is_agreed is not null and state = 'breached') as breached_count,
        countif(is_agreed is not null and reported_state = 'met') as reported_met_count,
        countif(is_agreed is not null and reported_state = 'breached') as reported_breached_count
    from reconciled
    group by organization_id, metric, created_month
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'metric', 'created_month']) }} as sla_reconciliation_key,
        organization_id,
        metric,
        created_month,
        {{ month_is_complete('created_month') }} as is_complete,
        ticket_count,
        not_reported_count,
        merged_count,
        not_measured_here_count,
        not_decided_there_count,
        compared_count,
        agreed_count,
        100 * agreed_count / nullif(compared_count, 0) as agreement_pct,
        same_count,
        priority_changed_count,
        target_count,
        open_past_target_count,
        resolved_without_reply_count,
        reopened_count,
        clock_count,
        paused_count,
        unexplained_count,
        100 * unexplained_count / nullif(compared_count, 0) as unexplained_pct,
        met_count,
        breached_count,
        100 * met_count / nullif(met_count + breached_count, 0) as compliance_pct,
        reported_met_count,
        reported_breached_count,
        100 * reported_met_count / nullif(reported_met_count + reported_breached_count, 0) as reported_compliance_pct
    from counted
)

select *
from final
