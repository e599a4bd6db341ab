{#- Refreshes reuse this table of the last nightly run. It changes seldom and covers some days after as_of. -#}
{{ config(meta={'refresh_every': '24h'}) }}
{%- set last_day = 'date_add(' ~ as_of_date() ~ ', interval ' ~ var('calendar_days_ahead') ~ ' day)' %}
with

organizations as (
    select
        organization_id,
        timezone
    from {{ ref('dim_organizations') }}
    where business_clock_issue is null
),

starts as (
    {{ open_time_starts() }}
),

business_hours as (
    select
        organization_id,
        valid_from,
        weekday,
        opens_time as opens_at,
        closes_time as closes_at
    from {{ ref('conformed_business_hours') }}
),

holidays as (
    select
        organization_id,
        holiday_date
    from {{ ref('conformed_holidays') }}
),

-- A timetable is the whole week that an organization puts into force on one day. A weekday that it does not list is closed.
timetable_starts as (
    select distinct
        organization_id,
        valid_from
    from business_hours
),

timetables as (
    select
        organization_id,
        valid_from,
        lead(valid_from) over (partition by organization_id order by valid_from) as next_valid_from
    from timetable_starts
),

-- The calendar begins with the first day that a ticket may need, so that a timetable valid since 1970 adds no days.
days as (
    select
        timetables.organization_id,
        timetables.valid_from,
        local_date
    from timetables
    inner join starts
        on starts.organization_id = timetables.organization_id
    cross join
        unnest(
            generate_date_array(
                greatest(timetables.valid_from, starts.open_time_from),
                least(coalesce(date_sub(timetables.next_valid_from, interval 1 day), {{ last_day }}), {{ last_day }})
            )
        ) as local_date
),

-- The offsets of the timezone from UTC, some time before and some time after any window of the day. They differ only
-- around a clock change. Only then does a local time need both.
offsets as (
    select
        days.organization_id,
        days.valid_from,
        days.local_date,
        organizations.timezone,
        {{ utc_offset_seconds('timestamp(date_sub(days.local_date, interval 1 day))', 'organizations.timezone') }}
            as offset_before,
        {{ utc_offset_seconds('timestamp(date_add(days.local_date, interval 3 day))', 'organizations.timezone') }}
            as offset_after
    from days
    inner join organizations
        on organizations.organization_id = days.organization_id
),

-- Windows that end at or before their start run into the next day: 22:00–06:00, or 00:00–00:00 for 24 hours.
local_windows as (
    select
        offsets.organization_id,
        offsets.timezone,
        offsets.offset_before,
        offsets.offset_after,
        datetime(offsets.local_date, business_hours.opens_at) as opens_at,
        datetime(
            if(
                business_hours.closes_at > business_hours.opens_at,
                offsets.local_date,
                date_add(offsets.local_date, interval 1 day)
            ),
            business_hours.closes_at
        ) as closes_at
    from offsets
    inner join business_hours
        on business_hours.organization_id = offsets.organization_id
        and business_hours.valid_from = offsets.valid_from
        and business_hours.weekday = mod(extract(dayofweek from offsets.local_date) + 5, 7) + 1
    left join holidays
        on holidays.organization_id = offsets.organization_id
        and holidays.holiday_date = offsets.local_date
    where holidays.holiday_date is null
),

windows as (
    select
        organization_id,
        {{ local_to_utc('opens_at', 'timezone', 'offset_before', 'offset_after') }} as opens_at,
        {{ local_to_utc('closes_at', 'timezone', 'offset_before', 'offset_after') }} as closes_at
    from local_windows
),

-- Windows that overlap or touch become one window, so that no minute counts twice.
windows_with_reach as (
    select
        organization_id,
        opens_at,
        closes_at,
        max(closes_at) over (
            partition by organization_id
            order by opens_at, closes_at
            rows between unbounded preceding and 1 preceding
        ) as reached_before
    from windows
    where closes_at > opens_at
),

numbered as (
    select
        organization_id,
        opens_at,
        closes_at,
        sum(if(reached_before is null or opens_at > reached_before, 1, 0)) over (
            partition by organization_id
            order by opens_at, closes_at
            rows between unbounded preceding and current row
        ) as opening_number
    from windows_with_reach
),

final as (
    select
        organization_id,
        min(opens_at) as opens_at,
        max(closes_at) as closes_at
    from numbered
    group by organization_id, opening_number
)

select *
from final
