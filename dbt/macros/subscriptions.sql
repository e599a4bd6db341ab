{#- Whether a subscription is in force at an instant: started_at < instant ≤ ended_at. A NULL in ended_at means open. A subscription
    that starts at an unknown time is never in force. -#}
{% macro is_in_force_at(instant) -%}
    (coalesce(started_at < {{ instant }}, false) and coalesce(ended_at >= {{ instant }}, true))
{%- endmacro %}


{#- A word that billing systems spell differently, such as a status: lower case, with underscores for spaces and hyphens, NULL if empty. -#}
{% macro billing_word(column) -%}
    regexp_replace({{ category(column) }}, r'[\s-]+', '_')
{%- endmacro %}


{#- The terms of a landed subscription, cleaned: what the platform keeps of each version. -#}
{% macro subscription_terms() -%}
    {{ category('plan_tier') }} as plan_tier,
        {{ billing_word('billing_interval') }} as billing_interval,
        interval_count,
        quantity,
        unit_amount,
        discount_pct,
        {{ currency_code('currency') }} as currency,
        {{ billing_word('status') }} as status
{%- endmacro %}
