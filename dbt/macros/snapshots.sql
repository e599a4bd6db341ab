{#- Snapshots are dated by the run's as_of, not by the wall clock: dbt takes the time of every version from here. -#}
{% macro bigquery__snapshot_get_time() -%}
    {{ as_of() }}
{%- endmacro %}


{#- A snapshot is taken once per as_of: a run for the same (or an earlier) as_of first takes back what was recorded at or
    after it, so that it can be repeated. Both are pre-hooks (dbt_project.yml); nothing to do before the first snapshot. -#}
{% macro delete_versions_since_as_of(snapshot) -%}
    {%- if execute and load_relation(snapshot) is not none -%}
        delete from {{ snapshot }} where dbt_valid_from >= {{ as_of() }}
    {%- endif -%}
{%- endmacro %}


{% macro reopen_versions_ended_since_as_of(snapshot) -%}
    {%- if execute and load_relation(snapshot) is not none -%}
        update {{ snapshot }} set dbt_valid_to = null where dbt_valid_to >= {{ as_of() }}
    {%- endif -%}
{%- endmacro %}


{#- dbt queries the columns of a snapshot's SQL, to warn if its `updated_at` has another type than the time above. Here both are the same time
    (strategy `check`), and BigQuery would bill the tables of the query. So it is not sent. -#}
{% macro check_time_data_types(sql) -%}
{%- endmacro %}
