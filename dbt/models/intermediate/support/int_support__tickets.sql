{%- set attributes = [
    'account_id', 'contact_id', 'product_id', 'category_id', 'root_cause_id', 'assignee_user_id', 'channel', 'status',
    'subject', 'app_version', 'reopened_count', 'csat_score', 'created_at', 'first_responded_at',
    'merged_into_ticket_id', 'updated_at',
] -%}
{%- set judged = [
    'account_key', 'facility_id', 'resolved_at', 'priority', 'is_open', 'is_resolved', 'is_merged', 'has_response_times',
    'response_closed_at', 'response_priority', 'response_target_minutes', 'response_clock', 'response_policy',
    'resolution_closed_at', 'resolution_priority', 'resolution_target_minutes', 'resolution_clock', 'resolution_policy',
    'has_opening_hours', 'release_version', 'is_release_related', 'csat_tier',
] -%}
{#- One local day decides both the policy and the opening hours. Without a known time zone it is the UTC day. -#}
{%- set created_day = 'coalesce(date(stopped.created_at, organizations.timezone), date(stopped.created_at))' -%}
with

tickets as (
    select
        organization_id,
        ticket_id,
        account_id,
        contact_id,
        facility_id,
        product_id,
        category_id,
        root_cause_id,
        assignee_user_id,
        channel,
        if(is_open or is_resolved, status, 'unknown') as status,
        subject,
        app_version,
        {{ release_version('app_version') }} as release_version,
        reopened_count,
        csat_score,
        created_at,
        if(first_responded_at < {{ as_of() }}, first_responded_at, null) as first_responded_at,
        if(is_resolved and resolved_at < {{ as_of() }}, resolved_at, null) as resolved_at,
        coalesce(is_open or is_resolved, false) as is_known_status,
        coalesce(is_resolved, false) and coalesce(resolved_at < {{ as_of() }}, true) as is_resolved,
        nullif(merged_into_ticket_id, ticket_id) as merged_into_ticket_id,
        coalesce(merged_into_ticket_id != ticket_id, false) or coalesce(status = 'merged', false) as is_merged,
        updated_at
    from {{ ref('conformed_tickets') }}
),

priority_history as (
    select *
    from {{ ref('int_support__priority_history') }}
),

policies as (
    select
        organization_id,
        priority,
        first_response_minutes,
        resolution_minutes,
        if(clock in ('calendar', 'business'), clock, 'unknown') as clock,
        valid_from,
        lead(valid_from) over (partition by organization_id, priority order by valid_from) as valid_to
    from {{ ref('conformed_sla_policies') }}
),

default_targets as (
    select
        priority,
        first_response_minutes,
        resolution_minutes
    from {{ ref('sla_default_targets') }}
),

watched_releases as (
    select
        release_version,
        coalesce(watched_from, date '0001-01-01') as watched_from,
        coalesce(watched_until, date '9999-12-31') as watched_until
    from {{ ref('watched_releases') }}
),

satisfaction_classes as (
    select
        score,
        score_class
    from {{ ref('survey_score_classes') }}
    where survey_type = 'csat'
),

-- The key comes from the conformed view, so that a refresh need not build dim_accounts.
accounts as (
    select
        organization_id,
        account_id,
        {{ generate_surrogate_key(['organization_id', 'account_id']) }} as account_key
    from {{ ref('conformed_accounts') }}
),

facilities as (
    select
        organization_id,
        facility_id
    from {{ ref('dim_facilities') }}
),

organizations as (
    select
        organization_id,
        timezone,
        opening_hours_since,
        opening_hours_fingerprint
    from {{ ref('dim_organizations') }}
),

-- If several tickets of an organization are resolved, but none ever has a reply, its source does not record replies.
recorded as (
    select
        organization_id,
        ticket_id,
        {{ attributes | join(',\n        ') }},
        facility_id,
        release_version,
        resolved_at,
        case when is_merged then false when is_known_status then not is_resolved end as is_open,
        case when is_merged then true when is_known_status then is_resolved end as is_resolved,
        is_merged,
        logical_or(first_responded_at is not null) over (partition by organization_id)
        or count(if(is_resolved and not is_merged, ticket_id, null)) over (partition by organization_id)
        < {{ var('resolved_tickets_that_show_no_replies') }} as has_response_times
    from tickets
),

-- A ticket resolved without a reply stops its response clock at the resolution, even if a reply follows.
-- A merged ticket has no clocks.
stopped as (
    select
        organization_id,
        ticket_id,
        {{ attributes | join(',\n        ') }},
        facility_id,
        release_version,
        resolved_at,
        is_open,
        is_resolved,
        is_merged,
        has_response_times,
        case
            when is_merged or not has_response_times then null
            when first_responded_at is null then resolved_at
            when resolved_at is null then first_responded_at
            else least(first_responded_at, resolved_at)
        end as response_closed_at,
        if(is_merged, null, resolved_at) as resolution_closed_at
    from recorded
),

-- A clock that has not stopped has the priority in force at as_of.
resolved_references as (
    select
        stopped.organization_id,
        stopped.ticket_id,
        stopped.{{ attributes | join(',\n        stopped.') }},
        accounts.account_key,
        coalesce(facilities.facility_id, 'unknown') as facility_id,
        stopped.resolved_at,
        stopped.is_open,
        stopped.is_resolved,
        stopped.is_merged,
        stopped.has_response_times,
        coalesce(now_in_force.priority, 'unknown') as priority,
        stopped.response_closed_at,
        coalesce(at_response.priority, 'unknown') as response_priority,
        stopped.resolution_closed_at,
        coalesce(at_resolution.priority, 'unknown') as resolution_priority,
        {{ created_day }} as created_day,
        coalesce(organizations.opening_hours_since <= {{ created_day }}, false) as has_opening_hours,
        organizations.opening_hours_fingerprint,
        stopped.release_version,
        if(stopped.release_version is null, null, watched_releases.release_version is not null) as is_release_related,
        satisfaction_classes.score_class as csat_tier
    from stopped
    {{ join_priority_at('priority_history', 'now_in_force', 'stopped', as_of()) }}
    {{ join_priority_at('priority_history', 'at_response', 'stopped', 'coalesce(stopped.response_closed_at, ' ~ as_of() ~ ')') }}
    {{ join_priority_at(
        'priority_history', 'at_resolution', 'stopped', 'coalesce(stopped.resolution_closed_at, ' ~ as_of() ~ ')'
    ) }}
    left join accounts
        on accounts.organization_id = stopped.organization_id
        and accounts.account_id = stopped.account_id
    left join facilities
        on facilities.organization_id = stopped.organization_id
        and facilities.facility_id = stopped.facility_id
    left join organizations
        on organizations.organization_id = stopped.organization_id
    left join watched_releases
        on watched_releases.release_version = stopped.release_version
        and date(stopped.created_at) between watched_releases.watched_from and watched_releases.watched_until
    left join satisfaction_classes
        on satisfaction_classes.score = stopped.csat_score
),

targeted as (
    select
        resolved_references.organization_id,
        resolved_references.ticket_id,
        resolved_references.{{ attributes | join(',\n        resolved_references.') }},
        resolved_references.account_key,
        resolved_references.facility_id,
        resolved_references.resolved_at,
        resolved_references.is_open,
        resolved_references.is_resolved,
        resolved_references.is_merged,
        resolved_references.has_response_times,
        resolved_references.priority,
        resolved_references.response_closed_at,
        resolved_references.response_priority,
        resolved_references.resolution_closed_at,
        resolved_references.resolution_priority,
        resolved_references.has_opening_hours,
        resolved_references.opening_hours_fingerprint,
        resolved_references.release_version,
        resolved_references.is_release_related,
        resolved_references.csat_tier,
        if(
            resolved_references.has_opening_hours and response_policies.clock = 'unknown',
            null,
            {{ policy_minutes('first_response_minutes', 'response_policies', 'response_defaults') }}
        ) as response_target_minutes,
        if(resolved_references.has_opening_hours, coalesce(response_policies.clock, 'calendar'), 'calendar')
            as response_clock,
        {{ policy_source('response_policies', 'response_defaults') }} as response_policy,
        if(
            resolved_references.has_opening_hours and resolution_policies.clock = 'unknown',
            null,
            {{ policy_minutes('resolution_minutes', 'resolution_policies', 'resolution_defaults') }}
        ) as resolution_target_minutes,
        if(resolved_references.has_opening_hours, coalesce(resolution_policies.clock, 'calendar'), 'calendar')
            as resolution_clock,
        {{ policy_source('resolution_policies', 'resolution_defaults') }} as resolution_policy
    from resolved_references
    {{ join_policy('policies', 'response_policies', 'resolved_references', 'response_priority') }}
    {{ join_policy('policies', 'resolution_policies', 'resolved_references', 'resolution_priority') }}
    left join default_targets as response_defaults
        on response_defaults.priority = resolved_references.response_priority
    left join default_targets as resolution_defaults
        on resolution_defaults.priority = resolved_references.resolution_priority
),

final as (
    select
        organization_id,
        ticket_id,
        {{ (attributes + judged) | join(',\n        ') }},
        {{ fingerprint(attributes + judged + ['opening_hours_fingerprint']) }} as input_fingerprint
    from targeted
)

select *
from final
