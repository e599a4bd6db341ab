{#- The latest visible version of every row of a raw table: the body of a staging model's import CTE.

    Raw is append-only, so one key has many versions. Which of them the run sees, and which of these is the latest, follows from the
    source's YAML and is written in include/sources/versions.py. Rows whose latest version is a tombstone are left out. Rows in quarantine
    are not: the staging gate checks every row. -#}
{% macro latest_rows(source_name, table_name) -%}
    {%- set raw = raw_table(source_name, table_name) -%}
    select *
    from {{ source(source_name, table_name) }} as landed
    where
        {{ raw.visible }}
    qualify
        row_number() over (partition by {{ raw.key | join(', ') }} order by {{ raw.latest_first }}) = 1
        and not _is_deleted
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
