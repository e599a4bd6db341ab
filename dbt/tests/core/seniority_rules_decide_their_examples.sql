{{ config(tags=['critical'], group='data_platform') }}
-- Every rule decides its own example. A rule fails if an earlier rule matches first, or if its pattern is wrong.
with

decided as (
    select
        examples.rule_order,
        examples.example,
        rules.rule_order as decided_by
    from {{ ref('seniority_rules') }} as examples
    inner join {{ ref('seniority_rules') }} as rules
        on regexp_contains({{ title_in_words('examples.example') }}, coalesce(rules.pattern, ''))
    qualify row_number() over (partition by examples.rule_order order by rules.rule_order) = 1
)

select
    rule_order,
    example,
    decided_by
from decided
where decided_by != rule_order
