{#- The sum of an amount over the rows of a group that meet a condition. Definition: Unknown figure.
    NULL if the condition is NULL in every row, or if rows meet it and none of them has an amount. 0 if no row meets it.
    The number of rows is a sum too: of a BOOL as INT64. -#}
{% macro sum_where(condition, amount) -%}
    case
        when countif(({{ condition }}) is not null) = 0 then null
        when countif({{ condition }}) = 0 then 0
        else sum(if({{ condition }}, {{ amount }}, null))
    end
{%- endmacro %}
