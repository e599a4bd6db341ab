{#- The number of rows of a group for which a condition holds, among the rows that say what it needs. NULL if the condition is NULL in every row.
    Unlike COUNTIF, it is NULL without rows. -#}
{% macro count_known(condition) -%}
    sum(cast(({{ condition }}) as int64))
{%- endmacro %}


{#- A figure of a kind of rows, after the group's figures were joined to a row that may have no group. Definition: Unknown figure.
    0 if the organization has such rows and the group has none. NULL if the organization has no such row at all.

    recorded      whether the organization has such rows, such as `recorded.has_orders` of int_organizations__recorded
    group_key     a column of the joined group that is never NULL in it
    figure        the figure of the group; NULL if none of its rows says it -#}
{% macro zero_without_rows(recorded, group_key, figure) -%}
    case
        when {{ group_key }} is not null then {{ figure }}
        when {{ recorded }} then 0
    end
{%- endmacro %}


{#- The sum of a value over the rows of a group for which a condition holds. 0 if no row is such a row. NULL if the condition is NULL in every row, or
    if no such row says its value. It is an aggregate. Definition: Unknown figure. -#}
{% macro sum_known(condition, value) -%}
    if({{ count_known(condition) }} = 0, 0, sum(if({{ condition }}, {{ value }}, null)))
{%- endmacro %}


{#- The number of different known values in the rows for which a condition holds. 0 and NULL as in `sum_known`. -#}
{% macro count_distinct_known(condition, value) -%}
    if({{ count_known(condition) }} = 0, 0, nullif(count(distinct if({{ condition }}, {{ value }}, null)), 0))
{%- endmacro %}
