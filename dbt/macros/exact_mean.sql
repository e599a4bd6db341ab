{#- The mean of a FLOAT64 column, NULL without values. It is the same to the last bit in whatever order the rows are read.

    A sum of FLOAT64 depends on that order, so a rebuild would give another number. A sum of NUMERIC does not. Each value keeps nine decimals. -#}
{% macro exact_mean(column) -%}
    cast(sum(cast({{ column }} as numeric(38, 9))) as float64) / nullif(count({{ column }}), 0)
{%- endmacro %}
