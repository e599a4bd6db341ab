{{
    config(
        partition_by={'field': 'created_month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'metric']
    )
}}
{%- set not_compared = ['not_reported', 'merged', 'not_measured_here', 'not_decided_there'] -%}
{%- set compared = [
    'same', 'priority_changed', 'target', 'open_past_target', 'resolved_without_reply', 'reopened', 'clock', 'paused', 'unexplained',
] -%}
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
        {% for reason in not_compared + compared -%}
        countif(reason = '{{ reason }}') as {{ reason }}_count,
        {% endfor -%}
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
        {{ surrogate_key(['organization_id', 'metric', 'created_month']) }} as sla_reconciliation_key,
        organization_id,
        metric,
        created_month,
        {{ month_is_complete('created_month') }} as is_complete,
        ticket_count,
        {% for reason in not_compared -%}
        {{ reason }}_count,
        {% endfor -%}
        compared_count,
        agreed_count,
        100 * agreed_count / nullif(compared_count, 0) as agreement_pct,
        {% for reason in compared -%}
        {{ reason }}_count,
        {% endfor -%}
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
