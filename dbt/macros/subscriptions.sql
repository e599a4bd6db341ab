{#- Whether a subscription is in force at an instant: started_at < instant ≤ ended_at. A NULL in ended_at means open. A subscription
    that starts at an unknown time is never in force. -#}
{% macro is_in_force_at(instant) -%}
    (coalesce(started_at < {{ instant }}, false) and coalesce(ended_at >= {{ instant }}, true))
{%- endmacro %}


{#- Whether a subscription earns by its status. A missing or unknown status earns. -#}
{% macro has_earning_status() -%}
    coalesce(status not in ('trialing', 'paused'), true)
{%- endmacro %}


{#- Whether a subscription earns at an instant, regardless of its price: the definition of MRR in docs/metrics.md. -#}
{% macro earns_at(instant) -%}
    ({{ is_in_force_at(instant) }} and coalesce(trial_ends_at <= {{ instant }}, true) and {{ has_earning_status() }})
{%- endmacro %}
