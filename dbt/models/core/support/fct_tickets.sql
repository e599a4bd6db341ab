{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='ticket_key',
        partition_by={'field': 'resolution_closed_at', 'data_type': 'timestamp', 'granularity': 'month'},
        cluster_by=['organization_id', 'facility_id', 'account_id'],
        on_schema_change='append_new_columns',
        meta={'delete_if_not_in': {'relation': 'conformed_tickets', 'key': ['organization_id', 'ticket_id']}}
    )
}}
{#- This line makes the relation of `meta.delete_if_not_in` upstream of the model. -#}
{%- do ref('conformed_tickets') -%}
{#- An incremental run rebuilds a ticket if any value that its row depends on has changed, whenever the value was
    loaded. `_input_fingerprint` hashes the conformed ticket, the priorities, targets and clock that apply, the opening
    hours, and this file. A ticket whose clock still runs changes with every run. A watermark on `_loaded_at` would miss
    rows that left quarantine, and rows that were loaded before a run could see them.

    The partition is the month in which the clock stopped. All tickets that change in every run are therefore in one
    partition, the one without a value. With the month of creation they would be in all partitions, because every month
    has some open tickets. -#}
{#- Columns of int_support__tickets that pass through every CTE. -#}
{%- set attributes = [
    'organization_id', 'ticket_id', 'account_key', 'account_id', 'contact_id', 'facility_id', 'product_id', 'category_id',
    'root_cause_id', 'assignee_user_id', 'channel', 'priority', 'status', 'subject', 'app_version', 'release_version',
    'is_release_related', 'reopened_count', 'created_at', 'first_responded_at', 'resolved_at', 'is_open',
    'is_resolved', 'is_merged', 'merged_into_ticket_id', 'has_response_times',
    'response_closed_at', 'response_priority', 'response_target_minutes', 'response_clock', 'response_policy',
    'resolution_closed_at', 'resolution_priority', 'resolution_target_minutes', 'resolution_clock', 'resolution_policy',
    'csat_score', 'csat_tier', 'updated_at',
] -%}
{%- set response_elapsed
    = "case response_clock when 'business' then response_business_elapsed when 'calendar' then response_calendar_elapsed end" -%}
{%- set resolution_elapsed
    = "case resolution_clock when 'business' then resolution_business_elapsed when 'calendar' then resolution_calendar_elapsed end" -%}
with

-- A clock runs to its event, or to as_of. The clock of a ticket resolved at an unknown time, or of an unknown status, has no end.
tickets as (
    select
        {{ generate_surrogate_key(['organization_id', 'ticket_id']) }} as ticket_key,
        {{ attributes | join(',\n        ') }},
        has_opening_hours,
        coalesce(response_closed_at, if(is_open and has_response_times, {{ as_of() }}, null)) as response_clocked_until,
        coalesce(resolution_closed_at, if(is_open, {{ as_of() }}, null)) as resolution_clocked_until,
        concat(input_fingerprint, '{{ code_fingerprint() }}') as _input_fingerprint
    from {{ ref('int_support__tickets') }}
),

open_time as (
    select
        organization_id,
        utc_date,
        segment_from,
        segment_until,
        open_until,
        open_microseconds_before
    from {{ ref('dim_open_time') }}
),

facilities as (
    select
        organization_id,
        facility_id,
        facility_key
    from {{ ref('dim_facilities') }}
),

{% if is_incremental() %}
settled as (
    select
        ticket_key,
        _input_fingerprint
    from {{ this }}
    where is_resolved
),
{% endif %}

measured as (
    select
        tickets.ticket_key,
        tickets.{{ attributes | join(',\n        tickets.') }},
        {{ calendar_minutes_between('created_at', 'response_clocked_until') }} as response_calendar_elapsed,
        {{ calendar_minutes_between('created_at', 'resolution_clocked_until') }} as resolution_calendar_elapsed,
        if(
            tickets.has_opening_hours,
            {{ business_minutes_between('created_at', 'at_creation', 'response_clocked_until', 'at_response') }},
            null
        ) as response_business_elapsed,
        if(
            tickets.has_opening_hours,
            {{ business_minutes_between('created_at', 'at_creation', 'resolution_clocked_until', 'at_resolution') }},
            null
        ) as resolution_business_elapsed,
        tickets._input_fingerprint
    from tickets
    {% if is_incremental() -%}
    left join settled
        on settled.ticket_key = tickets.ticket_key
        and settled._input_fingerprint = tickets._input_fingerprint
    {% endif -%}
    {{ join_open_time('open_time', 'at_creation', 'tickets.organization_id', 'tickets.created_at') }}
    {{ join_open_time('open_time', 'at_response', 'tickets.organization_id', 'tickets.response_clocked_until') }}
    {{ join_open_time('open_time', 'at_resolution', 'tickets.organization_id', 'tickets.resolution_clocked_until') }}
    {% if is_incremental() -%}
    where settled.ticket_key is null or not tickets.is_resolved
    {% endif -%}
),

judged as (
    select
        ticket_key,
        {{ attributes | join(',\n        ') }},
        response_calendar_elapsed,
        response_business_elapsed,
        {{ response_elapsed }} as response_elapsed_minutes,
        {{ sla_state('is_merged', response_elapsed, 'response_target_minutes', 'response_closed_at') }} as response_state,
        resolution_calendar_elapsed,
        resolution_business_elapsed,
        {{ resolution_elapsed }} as resolution_elapsed_minutes,
        {{ sla_state('is_merged', resolution_elapsed, 'resolution_target_minutes', 'resolution_closed_at') }}
            as resolution_state,
        if(resolution_closed_at is null, null, resolution_calendar_elapsed) / 60 as resolution_hours,
        _input_fingerprint
    from measured
),

final as (
    select
        judged.ticket_key,
        judged.organization_id,
        judged.ticket_id,
        judged.account_key,
        judged.account_id,
        judged.contact_id,
        facilities.facility_key,
        judged.facility_id,
        judged.product_id,
        judged.category_id,
        judged.root_cause_id,
        judged.assignee_user_id,
        judged.channel,
        judged.priority,
        judged.status,
        judged.subject,
        judged.app_version,
        judged.release_version,
        judged.is_release_related,
        judged.reopened_count,
        judged.reopened_count > 0 as is_reopened,
        nullif(judged.status, 'unknown') = 'escalated' as is_escalated,
        judged.created_at,
        date(judged.created_at) as created_date,
        judged.first_responded_at,
        judged.resolved_at,
        judged.is_open,
        judged.is_resolved,
        judged.is_merged,
        judged.merged_into_ticket_id,
        judged.has_response_times,
        judged.resolution_hours,
        case
            when judged.resolution_hours <= {{ var('fast_resolution_hours') }} then 'fast'
            when judged.resolution_hours <= {{ var('slow_resolution_hours') }} then 'normal'
            when judged.resolution_hours is not null then 'slow'
        end as resolution_speed,
        judged.response_closed_at,
        judged.response_priority,
        judged.response_target_minutes,
        judged.response_clock,
        judged.response_policy,
        if(judged.response_closed_at is null, null, judged.response_calendar_elapsed)
            as response_calendar_minutes,
        if(judged.response_closed_at is null, null, judged.response_business_elapsed)
            as response_business_minutes,
        judged.response_elapsed_minutes,
        judged.response_elapsed_minutes / nullif(judged.response_target_minutes, 0) as response_sla_ratio,
        judged.response_state,
        {{ sla_is_met('judged.response_state') }} as is_response_met,
        judged.resolution_closed_at,
        judged.resolution_priority,
        judged.resolution_target_minutes,
        judged.resolution_clock,
        judged.resolution_policy,
        if(judged.resolution_closed_at is null, null, judged.resolution_calendar_elapsed)
            as resolution_calendar_minutes,
        if(judged.resolution_closed_at is null, null, judged.resolution_business_elapsed)
            as resolution_business_minutes,
        judged.resolution_elapsed_minutes,
        judged.resolution_elapsed_minutes / nullif(judged.resolution_target_minutes, 0) as resolution_sla_ratio,
        judged.resolution_state,
        {{ sla_is_met('judged.resolution_state') }} as is_resolution_met,
        judged.csat_score,
        judged.csat_tier,
        judged.csat_tier as satisfaction_level,
        judged.updated_at,
        judged._input_fingerprint
    from judged
    left join facilities
        on facilities.organization_id = judged.organization_id
        and facilities.facility_id = judged.facility_id
)

select *
from final
