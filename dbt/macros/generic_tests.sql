{#- What a relation promises of its rows, all in one statement: BigQuery bills each test statement by the table and at least 10 MB, so that a test
    of its own for each rule would cost a multiple. Returns the rows that break any rule, and which: `broken_rules` stop the build, `warned_rules` only
    warn. What is NULL breaks `not_null` and `key` only.

    The table is read under an alias: without one, a table named like one of its columns (ops.invoiced_mrr) hides that column on BigQuery,
    and the test would judge whole rows.

    key                 columns whose values together no two rows share, none of which is NULL
    unique              columns that share no value between rows, each by itself
    not_null            columns
    accepted_values     column → the values that it may have
    accepted_range      column → bounds, both inclusive unless `exclusive`; either may be left out: {min: 0, max: 1, exclusive: true}
    expression_is_true  expressions, or name → expression
    relationships       column → {to, field}: the table and its column that has the value; `where` says of which rows that is asked. A table that the model is not made from has a test
                        `relationships` of its own, so that runs which build the model alone still judge its rows
    warns               rules that only warn: not_null, accepted_values, accepted_range, expression_is_true. A range or an expression may say why:
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


{#- Rules that look at one row, as name → the condition that breaks it. The arguments are those of `rows_are_valid`. -#}
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


{#- The names of those rules that a row breaks, each followed by '; '. -#}
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
