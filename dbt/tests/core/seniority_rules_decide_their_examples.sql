{{ config(tags=['critical'], group='data_platform') }}
-- A rule that an earlier one covers up, or a pattern with a slip, does not decide its own example.
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
