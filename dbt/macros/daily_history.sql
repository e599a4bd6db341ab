{#- For the pre-hook of a table that keeps what every run found: takes back what an earlier attempt of this run, which is known by its as_of,
    wrote, so that a run can be repeated. Nothing to do before the table exists. -#}
{% macro forget_rows_of_this_run(relation, run_column) -%}
    {%- if execute and load_relation(relation) is not none -%}
        delete from {{ relation }} where {{ run_column }} = {{ as_of() }}
    {%- endif -%}
{%- endmacro %}
