{#- The mean of a FLOAT64 column, NULL without values; the same to the last bit in whatever order the rows are read.

    A sum of FLOAT64 depends on that order, so that a rebuild would give another number. A sum of NUMERIC does not;
    nine decimals are kept of each value. -#}
{% macro exact_mean(column) -%}
    cast(sum(cast({{ column }} as numeric(38, 9))) as float64) / nullif(count({{ column }}), 0)
{%- endmacro %}
