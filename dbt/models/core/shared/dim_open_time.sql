{#- Refreshes reuse this table of the last nightly run, because it changes seldom and covers some days after as_of. -#}
{{ config(cluster_by=['organization_id', 'utc_date'], meta={'refresh_every': '24h'}) }}
with

opening_hours as (
    select
        organization_id,
        opens_at,
        closes_at
    from {{ ref('int_calendar__opening_hours') }}
),

-- Opening intervals are cut at midnight UTC, so that a join finds the segment of an instant by equality of the day.
open_pieces as (
    select
        opening_hours.organization_id,
        greatest(opening_hours.opens_at, timestamp(utc_date)) as segment_from,
        least(opening_hours.closes_at, timestamp(date_add(utc_date, interval 1 day))) as open_until
    from opening_hours
    cross join
        unnest(
            generate_date_array(
                date(opening_hours.opens_at), date(timestamp_sub(opening_hours.closes_at, interval 1 microsecond))
            )
        ) as utc_date
),

organizations as (
    select organization_id
    from {{ ref('dim_organizations') }}
    where opening_hours_since is not null and business_clock_issue is null
),

starts as (
    {{ open_time_starts() }}
),

calendars as (
    select
        organizations.organization_id,
        starts.open_time_from
    from organizations
    inner join starts
        on starts.organization_id = organizations.organization_id
),

-- Every day starts a segment, so that closed days have a segment too.
day_starts as (
    select
        calendars.organization_id,
        timestamp(utc_date) as segment_from,
        timestamp(utc_date) as open_until
    from calendars
    cross join
        unnest(
            generate_date_array(
                calendars.open_time_from, date_add({{ as_of_date() }}, interval {{ var('calendar_days_ahead') }} day)
            )
        ) as utc_date
),

boundaries as (
    select
        organization_id,
        segment_from,
        open_until
    from open_pieces
    union all
    select
        organization_id,
        segment_from,
        open_until
    from day_starts
),

segments as (
    select
        organization_id,
        segment_from,
        max(open_until) as open_until
    from boundaries
    group by organization_id, segment_from
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'segment_from']) }} as open_time_key,
        organization_id,
        date(segment_from) as utc_date,
        segment_from,
        coalesce(
            lead(segment_from) over (partition by organization_id order by segment_from),
            timestamp_add(timestamp_trunc(segment_from, day), interval 1 day)
        ) as segment_until,
        open_until,
        coalesce(
            cast(
                sum(timestamp_diff(open_until, segment_from, microsecond)) over (
                    partition by organization_id
                    order by segment_from
                    rows between unbounded preceding and 1 preceding
                ) as int64
            ),
            0
        ) as open_microseconds_before
    from segments
)

select *
from final
