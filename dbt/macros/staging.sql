{#- The latest visible version of every row of a raw table. The macro is the body of a staging model's import CTE.

    Raw is append-only, so one key has many versions. The source's YAML says which versions a run sees and which one is the latest
    (SQL in include/sources/versions.py). Rows whose latest version is a tombstone, or has not
    happened before as_of, are left out. Rows in quarantine are included, because the gate of the conformed views checks every row. -#}
{% macro latest_rows(source_name, table_name) -%}
    {%- set raw = raw_table(source_name, table_name) -%}
    select *
    from {{ source(source_name, table_name) }} as _loaded
    where
        {{ raw.visible }}
    qualify
        row_number() over (partition by {{ raw.key | join(', ') }} order by {{ raw.latest_first }}) = 1
        and not {{ raw.deleted }}
        {%- if raw.happened != 'true' %}
        and {{ raw.happened }}
        {%- endif %}
{%- endmacro %}


{#- A category or an e-mail address in a form that can be compared: trimmed, lower case, NULL if empty. -#}
{% macro category(column) -%}
    nullif(lower(trim({{ column }})), '')
{%- endmacro %}


{#- A word of a closed list in the platform's form: lower case, with underscores for spaces and hyphens. A synonym becomes the
    platform's word. `synonyms` names a var that maps synonyms to words. It is a var and no seed, because BigQuery would bill the
    seed at each query of a conformed view. -#}
{% macro known_as(column, synonyms) -%}
    {%- set word -%}
        regexp_replace({{ category(column) }}, r'[\s-]+', '_')
    {%- endset -%}
    case {{ word }}
        {%- for synonym, known in var(synonyms).items() %}
        when '{{ synonym }}' then '{{ known }}'
        {%- endfor %}
        else {{ word }}
    end
{%- endmacro %}


{#- A text that people wrote: trimmed, NULL if empty, otherwise unchanged. -#}
{% macro text(column) -%}
    nullif(trim({{ column }}), '')
{%- endmacro %}


{#- A local time of day written as HH:MM or HH:MM:SS. NULL if it cannot be read. -#}
{% macro local_time(column) -%}
    coalesce(safe.parse_time('%H:%M', trim({{ column }})), safe.parse_time('%H:%M:%S', trim({{ column }})))
{%- endmacro %}


{#- An ISO 4217 code: trimmed, upper case, NULL if empty. -#}
{% macro currency_code(column) -%}
    nullif(upper(trim({{ column }})), '')
{%- endmacro %}


{#- The time between two instants in hours or days, with fraction. NULL if either is unknown. -#}
{% macro elapsed(since, until, unit) -%}
    timestamp_diff({{ until }}, {{ since }}, microsecond) / {{ {'hours': 3600000000, 'days': 86400000000}[unit] }}
{%- endmacro %}
