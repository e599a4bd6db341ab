{#- The as-of time of the run, as a TIMESTAMP literal in UTC. The run sees everything before it, exclusive.
    It comes from var `as_of` (ISO 8601; a date means its first instant; no offset means UTC), else from DBT_AS_OF in the
    environment, else from the start of dbt. -#}
{% macro as_of() -%}
    timestamp '{{ as_of_instant().strftime("%Y-%m-%d %H:%M:%S.%f") }}+00:00'
{%- endmacro %}


{#- The as-of time as a date: the first day that the run does not see completely. -#}
{% macro as_of_date() -%}
    date '{{ as_of_instant().strftime("%Y-%m-%d") }}'
{%- endmacro %}


{#- The as-of time as a Python datetime in UTC, for macros that compute with it. The environment is read only while something
    runs. So dbt need not parse the whole project again for another as-of time, as it does if a var changes. -#}
{% macro as_of_instant() -%}
    {%- set given = (var('as_of', '') or (env_var('DBT_AS_OF', '') if execute else '')) | string | trim -%}
    {%- set instant = modules.datetime.datetime.fromisoformat(given) if given else run_started_at -%}
    {%- if instant.tzinfo is none -%}
        {%- set instant = modules.pytz.utc.localize(instant) -%}
    {%- endif -%}
    {{- return(instant.astimezone(modules.pytz.utc)) -}}
{%- endmacro %}
