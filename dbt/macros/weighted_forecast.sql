{#- The mean of a forecast: weighted by `weights` where the scenario is on, plain where it is off. An aggregate; all three are SQL,
    `scenario` a condition that is the same over the group (NULL: off).

    A row whose value or weight is NULL is left out of the weighted mean, one whose value is NULL out of the plain one. NULL when
    nothing is left, and when the weights left add up to 0: a mean of nothing is not 0. -#}
{% macro weighted_forecast(values, weights, scenario) -%}
    if(
        {{ scenario }},
        sum({{ values }} * {{ weights }}) / nullif(sum(if({{ values }} is null, null, {{ weights }})), 0),
        sum({{ values }}) / nullif(count({{ values }}), 0)
    )
{%- endmacro %}


{#- One of two values by a switch of a scenario: `if_true` where `column` is `enabled` (true or false), else `if_false`. A switch that
    is NULL is off, that is `if_false`, whichever way round it is asked. -#}
{% macro scenario_toggle(column, enabled, if_true, if_false) -%}
    if(coalesce({{ '' if enabled else 'not ' }}{{ column }}, false), {{ if_true }}, {{ if_false }})
{%- endmacro %}


{#- What an amount counts in a pipeline: amount × probability × weight where `apply` holds, else the amount itself (NULL: not applied).

    A factor of 0 counts 0. A factor that is NULL where it is applied makes the result NULL: what is not known is not 0, so count
    such rows beside the sum. Rounded to the nine decimals of a NUMERIC, as BigQuery does by itself. -#}
{% macro weighted_pipeline_scenario(amount, probability, weight, apply) -%}
    if({{ apply }}, round({{ amount }} * round({{ probability }} * {{ weight }}, 9), 9), {{ amount }})
{%- endmacro %}
