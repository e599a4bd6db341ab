{#- dbt-bigquery's own, for SQL models, less the brackets around the query after AS: with a list of columns, as contracts have, not
    every engine that speaks BigQuery's dialect reads them, and BigQuery does not need them. -#}
{% macro bigquery__create_table_as(temporary, relation, compiled_code, language='sql') -%}
    {%- if language != 'sql' -%}
        {%- do exceptions.raise_compiler_error('Models are written in SQL here, not in ' ~ language) -%}
    {%- endif -%}
    {%- set sql_header = config.get('sql_header', none) -%}
    {{ sql_header if sql_header is not none }}

    create or replace table {{ relation }}
    {%- if config.get('contract').enforced %}
    {{ get_assert_columns_equivalent(compiled_code) }}
    {{ get_table_columns_and_constraints() }}
    {%- set compiled_code = get_select_subquery(compiled_code) %}
    {%- endif %}
    {{ partition_by(adapter.parse_partition_by(config.get('partition_by', none))) }}
    {{ cluster_by(config.get('cluster_by', none)) }}
    {{ bigquery_table_options(config, model, temporary) }}
    as
    {{ compiled_code }}
{%- endmacro %}
