{#- The mean of a forecast: weighted by `weights` if the scenario is on, plain if it is off. It is an aggregate. All three arguments are SQL.
    `scenario` is a condition that is the same over the group. NULL means off.

    The weighted mean leaves out rows whose value or weight is NULL. The plain mean leaves out rows whose value is NULL. The mean is NULL, not 0,
    if no row is left or if the weights of the rows add up to 0. -#}
{% macro weighted_forecast(values, weights, scenario) -%}
    if(
        {{ scenario }},
        sum({{ values }} * {{ weights }}) / nullif(sum(if({{ values }} is null, null, {{ weights }})), 0),
        sum({{ values }}) / nullif(count({{ values }}), 0)
    )
{%- endmacro %}


{#- One of two values by a switch of a scenario: `if_true` if `column` is `enabled` (true or false), else `if_false`. A NULL switch
    gives `if_false`, also if `enabled` is false. -#}
{% macro scenario_toggle(column, enabled, if_true, if_false) -%}
    if(coalesce({{ '' if enabled else 'not ' }}{{ column }}, false), {{ if_true }}, {{ if_false }})
{%- endmacro %}


{#- The amount that counts in a pipeline: amount × probability × weight if `apply` holds, else the amount itself. NULL means not applied.

    A factor of 0 gives 0. A factor of NULL gives NULL if it is applied, because an unknown amount is not 0. Count such rows beside the sum.
    The result has the nine decimals of a NUMERIC, as BigQuery rounds by itself. -#}
{% macro weighted_pipeline_scenario(amount, probability, weight, apply) -%}
    if({{ apply }}, round({{ amount }} * round({{ probability }} * {{ weight }}, 9), 9), {{ amount }})
{%- endmacro %}
