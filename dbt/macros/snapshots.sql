{#- Snapshots are dated by the as_of of the run, not by the current time. dbt takes the time of every version from here. -#}
{% macro bigquery__snapshot_get_time() -%}
    {{ as_of() }}
{%- endmacro %}


{#- A snapshot exists once per as_of. A run first deletes the versions recorded at or after its as_of, so that it can be repeated.
    It then opens the versions again that ended at or after its as_of. Both are pre-hooks (dbt_project.yml). Before the first snapshot, they do
    nothing. -#}
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


{#- dbt queries the columns of a snapshot's SQL, to warn if `updated_at` has another type than the time above. Here both are the same time
    (strategy `check`), and BigQuery would bill the tables of the query. So the query is not sent. -#}
{% macro check_time_data_types(sql) -%}
{%- endmacro %}
