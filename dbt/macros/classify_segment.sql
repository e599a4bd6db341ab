{#- The segment of each row of a CTE of accounts. The macro is the body of a CTE with the accounts' key and `segment`, one row per account that has
    one. An account of unknown plan and unknown number of employees has none.

    The rules are a CTE over the seed segment_rules. The first rule in rule_order that holds counts. A rule holds if its plan tier is the account's,
    or if the account has more employees than the rule says. A rule without conditions holds for every account of which one of the
    two is known, and the seed ends in one. An unknown value meets no condition. -#}
{% macro classify_segment(accounts, rules, key=['organization_id', 'account_id']) -%}
    select
        {%- for column in key %}
        {{ accounts }}.{{ column }},
        {%- endfor %}
        {{ rules }}.segment
    from {{ accounts }}
    inner join {{ rules }}
        on {{ rules }}.plan_tier = {{ accounts }}.plan_tier
        or {{ rules }}.employees_above < {{ accounts }}.employee_count
        or (
            {{ rules }}.plan_tier is null
            and {{ rules }}.employees_above is null
            and ({{ accounts }}.plan_tier is not null or {{ accounts }}.employee_count is not null)
        )
    qualify
        row_number() over (
            partition by {{ accounts }}.{{ key | join(', ' ~ accounts ~ '.') }}
            order by {{ rules }}.rule_order
        ) = 1
{%- endmacro %}
