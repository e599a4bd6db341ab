{#- Refreshes count minutes in the same way, so the test in the nightly run is enough. -#}
{{ config(tags=['critical'], group='data_platform', meta={'refresh_every': '24h'}) }}
-- Business minutes are counted in a second way: the sum of the opening intervals that overlap with the ticket. It must
-- equal the difference of cumulative open time in fct_tickets. The tickets are those of the 30 days before as_of.
with

tickets as (
    select
        organization_id,
        ticket_id,
        created_at,
        resolution_closed_at,
        resolution_business_minutes
    from {{ ref('fct_tickets') }}
    where
        resolution_business_minutes is not null
        and resolution_closed_at >= created_at
        and created_at >= {{ start_of_day_before_as_of(30) }}
        -- This follows from the two conditions above. It limits the partitions.
        and resolution_closed_at >= {{ start_of_day_before_as_of(30) }}
),

overlaps as (
    select
        tickets.organization_id,
        tickets.ticket_id,
        tickets.resolution_business_minutes,
        sum(
            timestamp_diff(
                least(tickets.resolution_closed_at, opening_hours.closes_at),
                greatest(tickets.created_at, opening_hours.opens_at),
                microsecond
            )
        ) / 60000000 as overlap_minutes
    from tickets
    left join {{ ref('int_calendar__opening_hours') }} as opening_hours
        on opening_hours.organization_id = tickets.organization_id
        and opening_hours.opens_at < tickets.resolution_closed_at
        and opening_hours.closes_at > tickets.created_at
    group by tickets.organization_id, tickets.ticket_id, tickets.resolution_business_minutes
)

select
    organization_id,
    ticket_id,
    resolution_business_minutes,
    overlap_minutes
from overlaps
where abs(resolution_business_minutes - coalesce(overlap_minutes, 0)) > 0.000001
