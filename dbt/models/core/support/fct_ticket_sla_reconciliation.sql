{{
    config(
        partition_by={'field': 'created_date', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'metric', 'reason']
    )
}}
{%- set tolerance = var('sla_minutes_tolerance') -%}
with

tickets as (
    select
        ticket_key,
        organization_id,
        ticket_id,
        created_date,
        is_reopened,
        first_responded_at,
        response_closed_at,
        response_target_minutes,
        response_clock,
        response_calendar_minutes,
        response_business_minutes,
        response_elapsed_minutes,
        response_state,
        resolution_closed_at,
        resolution_target_minutes,
        resolution_clock,
        resolution_calendar_minutes,
        resolution_business_minutes,
        resolution_elapsed_minutes,
        resolution_state
    from {{ ref('fct_tickets') }}
),

-- What happens at as_of or later has not happened yet. If two words of a help desk mean one SLA, its last change counts.
reported as (
    select
        organization_id,
        ticket_id,
        sla_metric,
        target_minutes,
        if(breached_at >= {{ as_of() }}, false, coalesce(breached, if(breached_at is null, null, true))) as is_breached,
        if(breached_at < {{ as_of() }}, breached_at, null) as breached_at,
        if(fulfilled_at < {{ as_of() }}, fulfilled_at, null) as fulfilled_at,
        cast(elapsed_minutes as float64) as elapsed_minutes,
        updated_at
    from {{ ref('conformed_ticket_sla_events') }}
    where sla_metric is not null
    qualify row_number() over (partition by organization_id, ticket_id, sla_metric order by updated_at desc, metric asc) = 1
),

reporting_organizations as (
    select distinct organization_id
    from reported
),

reprioritized as (
    select
        organization_id,
        ticket_id
    from {{ ref('int_support__priority_history') }}
    group by organization_id, ticket_id
    having count(distinct coalesce(priority, 'unknown')) > 1
),

measured as (
    select
        tickets.ticket_key,
        tickets.organization_id,
        tickets.ticket_id,
        tickets.created_date,
        tickets.is_reopened,
        tickets.first_responded_at,
        sla.metric,
        sla.closed_at,
        sla.target_minutes,
        sla.clock,
        sla.calendar_minutes,
        sla.business_minutes,
        sla.elapsed_minutes,
        sla.state
    from tickets
    inner join reporting_organizations
        on reporting_organizations.organization_id = tickets.organization_id
    cross join unnest([
        struct(
            'first_response' as metric,
            tickets.response_closed_at as closed_at,
            tickets.response_target_minutes as target_minutes,
            tickets.response_clock as clock,
            tickets.response_calendar_minutes as calendar_minutes,
            tickets.response_business_minutes as business_minutes,
            tickets.response_elapsed_minutes as elapsed_minutes,
            tickets.response_state as state
        ),
        struct(
            'resolution' as metric,
            tickets.resolution_closed_at as closed_at,
            tickets.resolution_target_minutes as target_minutes,
            tickets.resolution_clock as clock,
            tickets.resolution_calendar_minutes as calendar_minutes,
            tickets.resolution_business_minutes as business_minutes,
            tickets.resolution_elapsed_minutes as elapsed_minutes,
            tickets.resolution_state as state
        )
    ]) as sla
),

paired as (
    select
        measured.ticket_key,
        measured.organization_id,
        measured.ticket_id,
        measured.metric,
        measured.created_date,
        measured.closed_at,
        measured.target_minutes,
        measured.clock,
        measured.calendar_minutes,
        measured.business_minutes,
        measured.elapsed_minutes,
        measured.state,
        reported.target_minutes as reported_target_minutes,
        reported.elapsed_minutes as reported_elapsed_minutes,
        reported.breached_at as reported_breached_at,
        reported.fulfilled_at as reported_fulfilled_at,
        reported.updated_at as reported_updated_at,
        case
            when reported.ticket_id is null then null
            when reported.is_breached is null then 'unknown'
            when reported.is_breached then 'breached'
            when reported.fulfilled_at is null then 'pending'
            else 'met'
        end as reported_state,
        if(
            measured.closed_at is null or reported.fulfilled_at is null,
            null,
            reported.elapsed_minutes - measured.elapsed_minutes
        ) as difference_minutes,
        reported.target_minutes != measured.target_minutes as has_other_target,
        reprioritized.ticket_id is not null as is_reprioritized,
        measured.metric = 'first_response'
        and coalesce(measured.first_responded_at > measured.closed_at, measured.closed_at is not null)
            as is_resolved_without_reply,
        measured.metric = 'resolution' and measured.is_reopened as is_reopened
    from measured
    left join reported
        on reported.organization_id = measured.organization_id
        and reported.ticket_id = measured.ticket_id
        and reported.sla_metric = measured.metric
    left join reprioritized
        on reprioritized.organization_id = measured.organization_id
        and reprioritized.ticket_id = measured.ticket_id
),

-- The first condition that holds names the reason.
explained as (
    select
        ticket_key,
        organization_id,
        ticket_id,
        metric,
        created_date,
        closed_at,
        target_minutes,
        clock,
        elapsed_minutes,
        state,
        reported_target_minutes,
        reported_elapsed_minutes,
        reported_breached_at,
        reported_fulfilled_at,
        reported_updated_at,
        reported_state,
        difference_minutes,
        case
            when reported_state is null then 'not_reported'
            when state = 'excluded' then 'merged'
            when state = 'unknown' then 'not_measured_here'
            when reported_state = 'unknown' then 'not_decided_there'
            when has_other_target and is_reprioritized then 'priority_changed'
            when has_other_target then 'target'
            when reported_state = state and coalesce(abs(difference_minutes) <= {{ tolerance }}, true) then 'same'
            when state = 'breached' and closed_at is null and reported_state = 'pending' then 'open_past_target'
            when is_resolved_without_reply and coalesce(reported_fulfilled_at > closed_at, true) then 'resolved_without_reply'
            when is_reopened and coalesce(reported_fulfilled_at < closed_at, reported_fulfilled_at is not null) then 'reopened'
            when
                reported_fulfilled_at is not null
                and abs(reported_elapsed_minutes - if(clock = 'business', calendar_minutes, business_minutes)) <= {{ tolerance }}
                then 'clock'
            when
                abs(timestamp_diff(reported_fulfilled_at, closed_at, microsecond)) <= 60000000 * {{ tolerance }}
                and reported_elapsed_minutes < coalesce(business_minutes, calendar_minutes)
                then 'paused'
            else 'unexplained'
        end as reason
    from paired
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'ticket_id', 'metric']) }} as ticket_sla_key,
        ticket_key,
        organization_id,
        ticket_id,
        metric,
        created_date,
        target_minutes,
        clock,
        elapsed_minutes,
        closed_at,
        state,
        reported_target_minutes,
        reported_elapsed_minutes,
        reported_breached_at,
        reported_fulfilled_at,
        reported_updated_at,
        reported_state,
        difference_minutes,
        reason,
        if(reason in ('not_reported', 'merged', 'not_measured_here', 'not_decided_there'), null, reported_state = state)
            as is_agreed
    from explained
)

select *
from final
