{{ config(cluster_by=['organization_id', 'release_version']) }}
with

-- Tickets and usage events that name a version, before as_of.
tickets as (
    select
        organization_id,
        {{ release_version('app_version') }} as release_version,
        created_at as seen_at
    from {{ ref('conformed_tickets') }}
    where created_at < {{ as_of() }}
),

usage_events as (
    select
        organization_id,
        {{ release_version('app_version') }} as release_version,
        occurred_at as seen_at
    from {{ ref('conformed_usage_events') }}
    where occurred_at < {{ as_of() }}
),

watched_releases as (
    select
        release_version,
        watched_from,
        watched_until,
        reason
    from {{ ref('watched_releases') }}
),

sightings as (
    select
        organization_id,
        release_version,
        seen_at as ticket_at,
        cast(null as timestamp) as event_at
    from tickets
    union all
    select
        organization_id,
        release_version,
        cast(null as timestamp) as ticket_at,
        seen_at as event_at
    from usage_events
),

releases as (
    select
        organization_id,
        release_version,
        min(ticket_at) as first_ticket_at,
        min(event_at) as first_event_at,
        min(coalesce(ticket_at, event_at)) as first_seen_at,
        max(coalesce(ticket_at, event_at)) as last_seen_at,
        count(ticket_at) as ticket_count
    from sightings
    where release_version is not null
    group by organization_id, release_version
),

final as (
    select
        {{ generate_surrogate_key(['releases.organization_id', 'releases.release_version']) }} as release_key,
        releases.organization_id,
        releases.release_version,
        releases.first_seen_at,
        date(releases.first_seen_at) as first_seen_date,
        releases.first_ticket_at,
        releases.first_event_at,
        releases.last_seen_at,
        -- If no ticket of an organization names its version, nobody knows how many are of a release.
        if(
            sum(releases.ticket_count) over (partition by releases.organization_id) = 0, null, releases.ticket_count
        ) as ticket_count,
        watched_releases.release_version is not null as is_watched,
        watched_releases.watched_from,
        watched_releases.watched_until,
        watched_releases.reason as watch_reason
    from releases
    left join watched_releases
        on watched_releases.release_version = releases.release_version
)

select *
from final
