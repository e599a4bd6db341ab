{#- The segment of every row of a CTE of accounts: the body of a CTE with the accounts' key and `segment`, one row per account.

    Of the rules (a CTE over the seed segment_rules) the first in rule_order counts that holds: its plan tier is the account's, or the account has
    more employees than it says. A rule without conditions holds for every account; the seed ends in one. What is not known meets no condition. -#}
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
        or ({{ rules }}.plan_tier is null and {{ rules }}.employees_above is null)
    qualify
        row_number() over (
            partition by {{ accounts }}.{{ key | join(', ' ~ accounts ~ '.') }}
            order by {{ rules }}.rule_order
        ) = 1
{%- endmacro %}
