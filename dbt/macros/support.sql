{#- Joins the priority that a ticket had at an instant, as `alias`, from a CTE over int_support__priority_history. There is exactly one row,
    because the intervals of a ticket are half-open and have no gap. Open ends become bounds here. An `or` would turn an equality join into a
    comparison of every ticket with every interval. -#}
{% macro join_priority_at(history, alias, ticket, instant) -%}
    left join {{ history }} as {{ alias }}
        on {{ alias }}.organization_id = {{ ticket }}.organization_id
        and {{ alias }}.ticket_id = {{ ticket }}.ticket_id
        and coalesce({{ alias }}.valid_from, timestamp '0001-01-01 00:00:00+00') <= {{ instant }}
        and coalesce({{ alias }}.valid_to, timestamp '9999-12-31 00:00:00+00') > {{ instant }}
{%- endmacro %}


{#- The state of a ticket SLA. A ticket that `is_excluded` has none. `minutes` is the elapsed time on the clock that decides,
    NULL if the event happened at an unknown time. `closed_at` is NULL while the clock runs. -#}
{% macro sla_state(is_excluded, minutes, target, closed_at) -%}
    case
        when {{ is_excluded }} then 'excluded'
        when {{ target }} is null or {{ minutes }} is null then 'unknown'
        when {{ minutes }} > {{ target }} then 'breached'
        when {{ closed_at }} is null then 'pending'
        else 'met'
    end
{%- endmacro %}


{#- A state as a truth value: TRUE if met, FALSE if breached, NULL if not decided. -#}
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


{#- The target of the policy, or without a policy that of the defaults. A policy without this target leaves it unknown. -#}
{% macro policy_minutes(target, policies, defaults) -%}
    if({{ policies }}.priority is null, {{ defaults }}.{{ target }}, {{ policies }}.{{ target }})
{%- endmacro %}


{#- The number of tickets whose SLA has a state. NULL if the state of every ticket of the group is unknown. -#}
{% macro count_sla_state(state, word) -%}
    {{ count_known("nullif(" ~ state ~ ", 'unknown') = '" ~ word ~ "'") }}
{%- endmacro %}


{#- The number of compliance checks that count as a result. NULL if the result of every check of the group is unknown. -#}
{% macro count_checks(result) -%}
    {{ count_known("nullif(counts_as, 'unknown') = '" ~ result ~ "'") }}
{%- endmacro %}


{#- The number of merged tickets. NULL if no ticket of the group has a known status, and none names another ticket. -#}
{% macro count_merged() -%}
    {{ count_known("if(is_resolved is null, null, resolution_state = 'excluded')") }}
{%- endmacro %}


{#- Joins the policy for a priority that was in force on a ticket's `created_day`, as `alias`, from a CTE of half-open intervals. -#}
{% macro join_policy(policies, alias, ticket, priority) -%}
    left join {{ policies }} as {{ alias }}
        on {{ alias }}.organization_id = {{ ticket }}.organization_id
        and {{ alias }}.priority = {{ ticket }}.{{ priority }}
        and {{ alias }}.valid_from <= {{ ticket }}.created_day
        and coalesce({{ alias }}.valid_to, date '9999-12-31') > {{ ticket }}.created_day
{%- endmacro %}


{#- The release of an app version, however it is written: lower case, no spaces around it, no leading v. -#}
{% macro release_version(app_version) -%}
    nullif(regexp_replace(lower(trim({{ app_version }})), '^v', ''), '')
{%- endmacro %}
