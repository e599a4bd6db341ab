{#- Tests all rules on the rows of a relation in one statement. BigQuery bills at least 10 MB per table of a statement, so one test
    per rule would cost several times as much. The test returns the rows that break a rule, with the names of the rules: `broken_rules`
    stop the build, `warned_rules` only warn. A NULL breaks `not_null` and `key` only.

    The table has an alias. Without one, a table with the name of one of its columns (ops.invoiced_mrr) hides that column on BigQuery,
    and the test would compare whole rows.

    key                 columns that together are unique, and none of which is NULL
    unique              columns that are unique, each by itself; several rows may be NULL
    not_null            columns
    accepted_values     column → the values that it may have
    accepted_range      column → bounds, both inclusive unless `exclusive`; either may be left out: {min: 0, max: 1, exclusive: true}
    expression_is_true  expressions, or name → expression
    relationships       column → {to, field}: the table and its column with the value; `where` limits the rows. A reference to a table that is not
                        upstream of the model needs a test `relationships` of its own, so that runs without that table still test the model's rows
    warns               rules that only warn: not_null, accepted_values, accepted_range, expression_is_true. A range or an expression may have a reason:
                        {max: 100, reason: …}, name → {expression, reason} -#}
{% test rows_are_valid(model, key=[], unique=[], not_null=[], accepted_values={}, accepted_range={}, expression_is_true={}, relationships={}, warns={}) %}
    {{ config(error_if="!= 0 and countif(broken_rules != '') != 0") }}
    {%- set broken = {} -%}
    {%- if key -%}
        {%- do broken.update({
            key | join(', ') ~ ' is not a key':
            'count(*) over (partition by ' ~ key | join(', ') ~ ') > 1 or ' ~ key | join(' is null or ') ~ ' is null'
        }) -%}
    {%- endif -%}
    {%- for column in unique -%}
        {%- do broken.update({column ~ ' is not unique': column ~ ' is not null and count(*) over (partition by ' ~ column ~ ') > 1'}) -%}
    {%- endfor -%}
    {%- for column, parent in relationships.items() -%}
        {%- set here = parent.where ~ ' and ' if parent.where is defined else '' -%}
        {%- do broken.update({column ~ ' leads nowhere': here ~ column ~ ' is not null and parent_of_' ~ column ~ ' is null'}) -%}
    {%- endfor -%}
    {%- do broken.update(rules_within_a_row(not_null, accepted_values, accepted_range, expression_is_true)) -%}
    with

    judged as (
        select
            {{ names_of_broken(broken) }} as broken_rules,
            {{ names_of_broken(rules_within_a_row(**warns)) }} as warned_rules,
            tested.*
        from {{ model }} as tested
        {%- for column, parent in relationships.items() %}
        left join (select distinct {{ parent.field }} as parent_of_{{ column }} from {{ parent.to }} as parent) as parents_{{ loop.index }}
            on parents_{{ loop.index }}.parent_of_{{ column }} = tested.{{ column }}
        {%- endfor %}
    )

    select *
    from judged
    where broken_rules != '' or warned_rules != ''
{% endtest %}


{#- Rules on a single row, as name → the condition that breaks the rule. The arguments are those of `rows_are_valid`. -#}
{% macro rules_within_a_row(not_null=[], accepted_values={}, accepted_range={}, expression_is_true={}) %}
    {%- set broken = {} -%}
    {%- for column in not_null -%}
        {%- do broken.update({column ~ ' is null': column ~ ' is null'}) -%}
    {%- endfor -%}
    {%- for column, values in accepted_values.items() -%}
        {%- set literals = [] -%}
        {%- for value in values -%}
            {%- do literals.append(string_literal(value) if value is string else value) -%}
        {%- endfor -%}
        {%- do broken.update({column ~ ' is another value': column ~ ' not in (' ~ literals | join(', ') ~ ')'}) -%}
    {%- endfor -%}
    {%- for column, bounds in accepted_range.items() -%}
        {%- set outside = [] -%}
        {%- if bounds.min is defined -%}
            {%- do outside.append(column ~ (' <= ' if bounds.exclusive else ' < ') ~ bounds.min) -%}
        {%- endif -%}
        {%- if bounds.max is defined -%}
            {%- do outside.append(column ~ (' >= ' if bounds.exclusive else ' > ') ~ bounds.max) -%}
        {%- endif -%}
        {%- do broken.update({column ~ ' is out of range': outside | join(' or ')}) -%}
    {%- endfor -%}
    {%- set expressions = expression_is_true.items() if expression_is_true is mapping else zip(expression_is_true, expression_is_true) -%}
    {%- for name, expression in expressions -%}
        {%- do broken.update({name: 'not (' ~ (expression.expression if expression is mapping else expression) ~ ')'}) -%}
    {%- endfor -%}
    {{- return(broken) -}}
{% endmacro %}


{#- The names of the rules that a row breaks, each followed by '; '. -#}
{% macro names_of_broken(rules) -%}
    {%- if not rules -%}
        {{- return("''") -}}
    {%- endif -%}
            concat(
                {%- for rule, condition in rules.items() %}
                if({{ condition }}, {{ string_literal(rule ~ '; ') }}, ''){{ ',' if not loop.last }}
                {%- endfor %}
            )
{%- endmacro %}
