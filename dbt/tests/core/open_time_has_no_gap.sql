{{ config(tags=['critical']) }}
-- The segments of an organization follow each other without gap or overlap. Their open time adds up.
with

segments as (
    select
        organization_id,
        segment_from,
        segment_until,
        open_microseconds_before + timestamp_diff(open_until, segment_from, microsecond) as open_microseconds_after,
        lead(segment_from) over (partition by organization_id order by segment_from) as next_segment_from,
        lead(open_microseconds_before) over (partition by organization_id order by segment_from) as next_open_microseconds_before
    from {{ ref('dim_open_time') }}
)

select
    organization_id,
    segment_from,
    segment_until,
    next_segment_from
from segments
where next_segment_from != segment_until or next_open_microseconds_before != open_microseconds_after
