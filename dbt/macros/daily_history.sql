{#- For the pre-hook of a table that keeps the results of every run: deletes the rows of an earlier attempt of this run, so that a run can be
    repeated. as_of identifies the run. Before the table exists, nothing is deleted. The day is the partition column. It is a constant, so that
    BigQuery reads only that partition. -#}
{% macro delete_rows_of_this_run(relation, run_column, day_column) -%}
    {%- if execute and load_relation(relation) is not none -%}
        delete from {{ relation }} where {{ day_column }} = {{ last_day_seen() }} and {{ run_column }} = {{ as_of() }}
    {%- endif -%}
{%- endmacro %}
