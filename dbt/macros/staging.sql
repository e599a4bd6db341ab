{#- The latest visible version of every row of a raw table: the body of a staging model's import CTE.

    Raw is append-only, so one key has many versions. Of those that the run may see (`event_time` before as_of), the one
    last changed counts; a later extraction breaks a tie, and a tombstone beats the version that it was landed with.
    Rows whose latest version is a tombstone are left out. Rows in quarantine are not: the staging gate judges every row.
    A row without any `event_time` is shown, as its oldest version, for the gate to judge rather than silently lost.

    key         the columns that identify a row, as in the source's contract
    event_time  what places a version in time; none for calendars, which are known ahead
    by_delivery whether a version is also not seen before the landing that brought it: for events, which have no `updated_at` to say
                when they became known -#}
{% macro latest_rows(source_name, table_name, key, event_time='updated_at', by_delivery=false) -%}
    select *
    from {{ source(source_name, table_name) }} as landed
    where
        true
        {%- if event_time %}
        and ({{ event_time }} < {{ as_of() }} or {{ event_time }} is null)
        {%- endif %}
        {%- if by_delivery %}
        and {{ delivered_by_as_of(source_name, table_name) }}
        {%- endif %}
    qualify
        row_number() over (
            partition by {{ key | join(', ') }}
            order by
                {%- if event_time == 'updated_at' %}
                updated_at desc,
                {%- endif %}
                _extracted_at desc,
                _is_deleted desc,
                _loaded_at desc,
                _source_file_id desc
        ) = 1
        and not _is_deleted
{%- endmacro %}


{#- Whether the landing that brought a row was for this as_of or an earlier one, which the batch says in its name. What a table's first landing
    brought is its history: it counts as known since it happened, so that days before the platform can be looked at. -#}
{% macro delivered_by_as_of(source_name, table_name) -%}
    coalesce(
            landed._batch_id <= '{{ source_name }}@{{ as_of_instant().strftime("%Y-%m-%dT%H%M%SZ") }}'
            or landed._batch_id = (
                select min_by(oldest._batch_id, oldest._loaded_at)
                from {{ source(source_name, table_name) }} as oldest
            ),
            true
        )
{%- endmacro %}


{#- A category or an e-mail address as it is compared: trimmed, lower case, NULL when empty. -#}
{% macro category(column) -%}
    nullif(lower(trim({{ column }})), '')
{%- endmacro %}


{#- A text that people wrote: trimmed, NULL when empty, otherwise as they wrote it. -#}
{% macro text(column) -%}
    nullif(trim({{ column }}), '')
{%- endmacro %}


{#- An ISO 4217 code: trimmed, upper case, NULL when empty. -#}
{% macro currency_code(column) -%}
    nullif(upper(trim({{ column }})), '')
{%- endmacro %}


{#- The time between two instants in hours or days with their fraction; NULL when either is unknown. -#}
{% macro elapsed(since, until, unit) -%}
    timestamp_diff({{ until }}, {{ since }}, microsecond) / {{ {'hours': 3600000000, 'days': 86400000000}[unit] }}
{%- endmacro %}
