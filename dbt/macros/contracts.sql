{#- Before dbt builds a table with a contract, it queries the columns of the model's SQL. The query returns no row, but BigQuery bills each table that
    it refers to, so a nightly run would pay for every model twice. Therefore a nightly run does not send it. The DDL names the contract's columns and
    types, and BigQuery refuses a missing column and a type that it cannot convert. It accepts a column that the contract lacks and
    a type that it converts. dbt's comparison finds both when `make check-google` builds all models with DBT_CHECK_CONTRACTS set. -#}
{% macro bigquery__get_assert_columns_equivalent(sql) -%}
    {%- if env_var('DBT_CHECK_CONTRACTS', '') -%}
        {{- return(default__get_assert_columns_equivalent(sql)) -}}
    {%- endif -%}
{%- endmacro %}
