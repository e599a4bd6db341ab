{#- dbt-bigquery's own, which asks the API for the columns that a model has gained. The local warehouse takes note of them
    there, and adds them by statement only, one column each; on BigQuery every statement would count against the table's
    quota of changes. -#}
{% macro bigquery__alter_relation_add_remove_columns(relation, add_columns, remove_columns) -%}
    {%- if env_var('BIGQUERY_EMULATOR_HOST', '') -%}
        {%- for column in add_columns or [] -%}
            {%- do run_query('alter table ' ~ relation ~ ' add column if not exists ' ~ column.name ~ ' ' ~ column.data_type) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do adapter.alter_table_add_remove_columns(relation, add_columns, remove_columns) -%}
{%- endmacro %}
