{#- A score 0-100 out of components that are each 0-100 or unknown (NULL): their mean weighted by `weights`, those that are unknown left out and
    the weights of the others taken as the whole. NULL when none is known.

    components  score column → weight column, in SQL -#}
{% macro calculate_health_score(components) -%}
    (
        {%- for score, weight in components.items() %}
        {{ '+ ' if not loop.first }}coalesce({{ weight }} * {{ score }}, 0)
        {%- endfor %}
    ) / nullif({{ known_weight(components) }}, 0)
{%- endmacro %}


{#- The weight of the components that are known; what a score is based on. -#}
{% macro known_weight(components) -%}
    (
        {%- for score, weight in components.items() %}
        {{ '+ ' if not loop.first }}if({{ score }} is null, 0, {{ weight }})
        {%- endfor %}
    )
{%- endmacro %}


{#- What one component brings to such a score: the contributions of all add up to it. NULL when it is unknown. -#}
{% macro score_contribution(score, weight, known_weight) -%}
    {{ weight }} * {{ score }} / nullif({{ known_weight }}, 0)
{%- endmacro %}
