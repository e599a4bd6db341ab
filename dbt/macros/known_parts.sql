{#- The sum of a value over the rows of a group for which a condition holds. 0 if no row is such a row. NULL if the condition is NULL in every row, or
    if no such row says its value. It is an aggregate. Definition: Unknown figure. -#}
{% macro sum_known(condition, value) -%}
    if({{ count_known(condition) }} = 0, 0, sum(if({{ condition }}, {{ value }}, null)))
{%- endmacro %}


{#- The number of different known values in the rows for which a condition holds. 0 and NULL as in `sum_known`. -#}
{% macro count_distinct_known(condition, value) -%}
    if({{ count_known(condition) }} = 0, 0, nullif(count(distinct if({{ condition }}, {{ value }}, null)), 0))
{%- endmacro %}
