{#- For the pre-hook of a table that keeps what every run found: takes back what an earlier attempt of this run, which is known by its as_of,
    wrote, so that a run can be repeated. Nothing to do before the table exists. The day, by which the table is partitioned, is a
    constant, so that BigQuery reads only that partition. -#}
{% macro delete_rows_of_this_run(relation, run_column, day_column) -%}
    {%- if execute and load_relation(relation) is not none -%}
        delete from {{ relation }} where {{ day_column }} = {{ last_day_seen() }} and {{ run_column }} = {{ as_of() }}
    {%- endif -%}
{%- endmacro %}
