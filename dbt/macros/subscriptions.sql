{#- Whether a subscription is in force at an instant: started_at < instant ≤ ended_at, NULL is open. One that starts at an unknown time never is. -#}
{% macro is_in_force_at(instant) -%}
    (coalesce(started_at < {{ instant }}, false) and coalesce(ended_at >= {{ instant }}, true))
{%- endmacro %}


{#- Whether a subscription's status lets it earn. A status that is missing or that nobody knows does. -#}
{% macro has_earning_status() -%}
    coalesce(status not in ('trialing', 'paused'), true)
{%- endmacro %}


{#- Whether a subscription earns at an instant, apart from its price: the definition of MRR in docs/metrics.md. -#}
{% macro earns_at(instant) -%}
    ({{ is_in_force_at(instant) }} and coalesce(trial_ends_at <= {{ instant }}, true) and {{ has_earning_status() }})
{%- endmacro %}
