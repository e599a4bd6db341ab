{#- The instant that the run looks at the world, as a TIMESTAMP literal in UTC. The run sees what happened before it,
    exclusive. From var `as_of` (ISO 8601; a date means its first instant; no offset means UTC), else from the environment's
    DBT_AS_OF, else when dbt started. -#}
{% macro as_of() -%}
    timestamp '{{ as_of_instant().strftime("%Y-%m-%d %H:%M:%S.%f") }}+00:00'
{%- endmacro %}


{#- The same as a date: the first day that the run does not see whole. -#}
{% macro as_of_date() -%}
    date '{{ as_of_instant().strftime("%Y-%m-%d") }}'
{%- endmacro %}


{#- The same as a Python datetime in UTC, for macros that compute with it. The environment is asked only while something
    runs: then dbt does not parse the whole project anew because the night is another one, as it does for a changed var. -#}
{% macro as_of_instant() -%}
    {%- set given = (var('as_of', '') or (env_var('DBT_AS_OF', '') if execute else '')) | string | trim -%}
    {%- set instant = modules.datetime.datetime.fromisoformat(given) if given else run_started_at -%}
    {%- if instant.tzinfo is none -%}
        {%- set instant = modules.pytz.utc.localize(instant) -%}
    {%- endif -%}
    {{- return(instant.astimezone(modules.pytz.utc)) -}}
{%- endmacro %}
