{#- A score from 0 to 100 out of components that are each 0 to 100 or unknown (NULL): their mean weighted by `weights`.
    Unknown components are left out, and the weights of the others become the whole. NULL if no component is known.

    components  score column → weight column, in SQL -#}
{% macro calculate_health_score(components) -%}
    (
        {%- for score, weight in components.items() %}
        {{ '+ ' if not loop.first }}coalesce({{ weight }} * {{ score }}, 0)
        {%- endfor %}
    ) / nullif({{ known_weight(components) }}, 0)
{%- endmacro %}


{#- The sum of the weights of the known components. -#}
{% macro known_weight(components) -%}
    (
        {%- for score, weight in components.items() %}
        {{ '+ ' if not loop.first }}if({{ score }} is null, 0, {{ weight }})
        {%- endfor %}
    )
{%- endmacro %}


{#- The part of such a score that comes from one component. All contributions add up to the score. NULL if the component is unknown. -#}
{% macro score_contribution(score, weight, known_weight) -%}
    {{ weight }} * {{ score }} / nullif({{ known_weight }}, 0)
{%- endmacro %}
