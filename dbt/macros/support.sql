{#- Joins the priority that a ticket had at an instant, as `alias`, from a CTE over int_support__priority_history: exactly one row,
    since the stretches of a ticket are half-open and leave no gap. Open ends are bounds here, not `or`s, which would
    turn an equality join into a comparison of every ticket with every stretch. -#}
{% macro join_priority_at(history, alias, ticket, instant) -%}
    left join {{ history }} as {{ alias }}
        on {{ alias }}.organization_id = {{ ticket }}.organization_id
        and {{ alias }}.ticket_id = {{ ticket }}.ticket_id
        and coalesce({{ alias }}.valid_from, timestamp '0001-01-01 00:00:00+00') <= {{ instant }}
        and coalesce({{ alias }}.valid_to, timestamp '9999-12-31 00:00:00+00') > {{ instant }}
{%- endmacro %}


{#- How a promise stands: `minutes` is the elapsed time on the deciding clock, NULL when the event happened at an unknown
    time; `closed_at` is NULL while the clock runs. -#}
{% macro sla_state(minutes, target, closed_at) -%}
    case
        when {{ target }} is null or {{ minutes }} is null then 'unknown'
        when {{ minutes }} > {{ target }} then 'breached'
        when {{ closed_at }} is null then 'pending'
        else 'met'
    end
{%- endmacro %}


{#- A state as a truth value: TRUE met, FALSE breached, NULL not decided. -#}
{% macro sla_is_met(state) -%}
    case {{ state }} when 'met' then true when 'breached' then false end
{%- endmacro %}


{#- Which of the two joined tables a target comes from. -#}
{% macro policy_source(policies, defaults) -%}
    case
        when {{ policies }}.priority is not null then 'policy'
        when {{ defaults }}.priority is not null then 'default'
        else 'none'
    end
{%- endmacro %}


{#- Joins the policy for a priority that was in force when a ticket was created, as `alias`, from a CTE of half-open stretches. -#}
{% macro join_policy(policies, alias, ticket, priority) -%}
    left join {{ policies }} as {{ alias }}
        on {{ alias }}.organization_id = {{ ticket }}.organization_id
        and {{ alias }}.priority = {{ ticket }}.{{ priority }}
        and {{ alias }}.valid_from <= date({{ ticket }}.created_at)
        and coalesce({{ alias }}.valid_to, date '9999-12-31') > date({{ ticket }}.created_at)
{%- endmacro %}


{#- The release that an app version names, however it is written: lower case, no spaces around it, no leading v. -#}
{% macro release_version(app_version) -%}
    nullif(regexp_replace(lower(trim({{ app_version }})), '^v', ''), '')
{%- endmacro %}
