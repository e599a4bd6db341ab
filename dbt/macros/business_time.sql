{#- The local time of a timezone at an instant, as DATETIME. It equals `datetime(instant, timezone)`, but the timezone may be
    a column on every engine. -#}
{% macro local_datetime(instant, timezone) -%}
    datetime(date({{ instant }}, {{ timezone }}), time({{ instant }}, {{ timezone }}))
{%- endmacro %}


{#- The difference of a timezone from UTC at an instant, in seconds. -#}
{% macro utc_offset_seconds(instant, timezone) -%}
    datetime_diff({{ local_datetime(instant, timezone) }}, datetime({{ instant }}), second)
{%- endmacro %}


{#- The instant of a local DATETIME in a timezone. The arguments are the timezone's offsets some time before and some time after,
    with at most one clock change between them.

    A time that exists twice, when clocks go back, is the first of the two. A time that does not exist, when clocks go forward, is
    read with the offset before the change (02:30 is 03:30 of the new time). BigQuery and Python (fold=0) have the same rule. It is
    written out here so that it does not depend on the engine. -#}
{% macro local_to_utc(local, timezone, offset_before, offset_after) -%}
    {%- set before = 'timestamp_sub(timestamp(' ~ local ~ '), interval ' ~ offset_before ~ ' second)' -%}
    {%- set after = 'timestamp_sub(timestamp(' ~ local ~ '), interval ' ~ offset_after ~ ' second)' -%}
    case
        when {{ offset_before }} = {{ offset_after }} then {{ before }}
        when {{ local_datetime(before, timezone) }} = {{ local }} then {{ before }}
        when {{ local_datetime(after, timezone) }} = {{ local }} then {{ after }}
        else {{ before }}
    end
{%- endmacro %}


{#- Joins the segment of the organization's open time that contains an instant, as `alias`, from a CTE over dim_open_time.
    There is at most one such row. The join finds it by equality of organization and UTC day. -#}
{% macro join_open_time(open_time, alias, organization_id, instant) -%}
    left join {{ open_time }} as {{ alias }}
        on {{ alias }}.organization_id = {{ organization_id }}
        and {{ alias }}.utc_date = date({{ instant }})
        and {{ alias }}.segment_from <= {{ instant }}
        and {{ alias }}.segment_until > {{ instant }}
{%- endmacro %}


{#- Open time before an instant, in microseconds since the start of the organization's calendar. -#}
{% macro open_microseconds_before(segment, instant) -%}
    {{ segment }}.open_microseconds_before
    + timestamp_diff(least({{ instant }}, {{ segment }}.open_until), {{ segment }}.segment_from, microsecond)
{%- endmacro %}


{#- Minutes, with fraction, between two instants in which the organization is open: the open time before the end − the open time
    before the start. Both need their segment from `join_open_time`. -#}
{% macro business_minutes_between(start, start_segment, end, end_segment) -%}
    (
        {{ open_microseconds_before(end_segment, end) }}
        - ({{ open_microseconds_before(start_segment, start) }})
    ) / 60000000
{%- endmacro %}


{#- Minutes, with fraction, between two instants on the calendar clock. -#}
{% macro calendar_minutes_between(start, end) -%}
    timestamp_diff({{ end }}, {{ start }}, microsecond) / 60000000
{%- endmacro %}


{#- The first day of each organization's open time. The macro is the body of a CTE with `organization_id` and `open_time_from`.
    The day is two days before the first ticket, because nothing needs open time before that. An organization without tickets has no row. -#}
{% macro open_time_starts() -%}
    select
        organization_id,
        date_sub(date(min(created_at)), interval 2 day) as open_time_from
    from {{ ref('conformed_tickets') }}
    group by organization_id
{%- endmacro %}
