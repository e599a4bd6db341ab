{#- Whether a subscription is in force at an instant: started_at < instant ≤ ended_at. A NULL in ended_at means open. A subscription
    that starts at an unknown time is never in force. -#}
{% macro is_in_force_at(instant) -%}
    (coalesce(started_at < {{ instant }}, false) and coalesce(ended_at >= {{ instant }}, true))
{%- endmacro %}


{#- A word that billing systems spell differently, such as a status: lower case, with underscores for spaces and hyphens, NULL if empty. -#}
{% macro billing_word(column) -%}
    regexp_replace({{ category(column) }}, r'[\s-]+', '_')
{%- endmacro %}
