with

tickets as (
    select
        organization_id,
        ticket_id,
        priority
    from {{ ref('conformed_tickets') }}
),

changes as (
    select
        organization_id,
        ticket_id,
        from_priority,
        to_priority,
        changed_at,
        row_number() over (partition by organization_id, ticket_id order by changed_at, change_id) as change_number,
        lead(changed_at) over (partition by organization_id, ticket_id order by changed_at, change_id) as next_changed_at
    from {{ ref('clean_ticket_priority_changes') }}
    where changed_at < {{ as_of() }}
),

-- The priority of a ticket before its first change. A ticket without changes has it all the time.
before_changes as (
    select
        tickets.organization_id,
        tickets.ticket_id,
        coalesce(first_changes.from_priority, tickets.priority) as priority,
        cast(null as timestamp) as valid_from,
        first_changes.changed_at as valid_to
    from tickets
    left join changes as first_changes
        on first_changes.organization_id = tickets.organization_id
        and first_changes.ticket_id = tickets.ticket_id
        and first_changes.change_number = 1
),

after_changes as (
    select
        changes.organization_id,
        changes.ticket_id,
        changes.to_priority as priority,
        changes.changed_at as valid_from,
        changes.next_changed_at as valid_to
    from changes
    inner join tickets
        on tickets.organization_id = changes.organization_id
        and tickets.ticket_id = changes.ticket_id
),

intervals as (
    select
        organization_id,
        ticket_id,
        priority,
        valid_from,
        valid_to
    from before_changes
    union all
    select
        organization_id,
        ticket_id,
        priority,
        valid_from,
        valid_to
    from after_changes
),

-- The platform's words have a default target. An organization's own words are those of its policies.
platform_priorities as (
    select priority
    from {{ ref('sla_default_targets') }}
),

own_priorities as (
    select distinct
        organization_id,
        priority
    from {{ ref('conformed_sla_policies') }}
),

final as (
    select
        intervals.organization_id,
        intervals.ticket_id,
        coalesce(platform_priorities.priority, own_priorities.priority) as priority,
        intervals.valid_from,
        intervals.valid_to
    from intervals
    left join platform_priorities
        on platform_priorities.priority = intervals.priority
    left join own_priorities
        on own_priorities.organization_id = intervals.organization_id
        and own_priorities.priority = intervals.priority
)

select *
from final
