{#- The latest visible version of every row of a raw table: the body of a staging model's import CTE.

    Raw is append-only, so one key has many versions. Which of them the run sees, and which of these is the latest, follows from the
    source's YAML and is written in include/sources/versions.py. Rows whose latest version is a tombstone, and rows that the staging
    gate holds in quarantine, are left out.

    key_as  expressions for key columns that staging converts, since the quarantine knows rows by staging's key -#}
{% macro latest_rows(source_name, table_name, key_as={}) -%}
    {%- set raw = raw_table(source_name, table_name) -%}
    select *
    from {{ source(source_name, table_name) }} as landed
    where
        {{ not_quarantined(source_name, table_name, raw.key, key_as) }}
        and {{ raw.visible }}
    qualify
        row_number() over (partition by {{ raw.key | join(', ') }} order by {{ raw.latest_first }}) = 1
        and not _is_deleted
{%- endmacro %}


{#- The condition that a row is not in quarantine. For a table without a `quarantine` rule it is `true`, so that BigQuery does not bill the
    quarantine table for every query on its view. -#}
{% macro not_quarantined(source_name, table_name, key, key_as={}) -%}
    {%- if 'stg_' ~ source_name ~ '__' ~ table_name in quarantined_views() -%}
    not exists (
            select 1
            from {{ source('quarantine', 'quarantined_rows') }} as held
            where held.relation = 'stg_{{ source_name }}__{{ table_name }}'
                and held.row_key = {{ row_key(key, 'landed', key_as) }}
        )
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}


{#- A key as one text, as the quarantine names rows: the text of its columns joined by a bar. -#}
{% macro row_key(key, relation=none, key_as={}) -%}
    {%- set parts = [] -%}
    {%- for column in key -%}
        {%- set qualified = relation ~ '.' ~ column if relation else column -%}
        {%- do parts.append('cast(' ~ key_as.get(column, qualified) ~ ' as string)') -%}
    {%- endfor -%}
    {{- parts[0] if parts | length == 1 else 'concat(' ~ parts | join(", '|', ") ~ ')' -}}
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
