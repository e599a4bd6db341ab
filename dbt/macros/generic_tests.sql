{#- Every test reads its table under an alias: without one, a table named like one of its columns (ops.invoiced_mrr) hides that column on BigQuery,
    and the test would judge whole rows. -#}


{#- No two rows of a model share the same values in these columns, none of which is NULL: the key of a table that needs
    more than one column. Returns each offending key with its number of rows. -#}
{% test unique_combination(model, columns) %}
    select
        {{ columns | join(', ') }},
        count(*) as row_count
    from {{ model }} as tested
    group by {{ columns | join(', ') }}
    having
        count(*) > 1
        {%- for column in columns %}
        or {{ column }} is null
        {%- endfor %}
{% endtest %}


{#- Rules that every row keeps, all of them in one scan: BigQuery bills each test statement by the table and at least 10 MB, so that a test
    of its own for each rule would cost a multiple. Returns the rows that break any, and which: `broken_rules`. What is NULL breaks `not_null` only.

    unique              columns that share no value between rows, each by itself
    not_null            columns
    accepted_values     column → the values that it may have
    accepted_range      column → bounds, both inclusive unless `exclusive`; either may be left out: {min: 0, max: 1, exclusive: true}
    expression_is_true  expressions, or name → expression -#}
{% test rows_are_valid(model, unique=[], not_null=[], accepted_values={}, accepted_range={}, expression_is_true={}) %}
    {%- set broken = {} -%}
    {%- for column in unique -%}
        {%- do broken.update({column ~ ' is not unique': column ~ ' is not null and count(*) over (partition by ' ~ column ~ ') > 1'}) -%}
    {%- endfor -%}
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
        {%- do broken.update({name: 'not (' ~ expression ~ ')'}) -%}
    {%- endfor -%}
    with

    judged as (
        select
            concat(
                {%- for rule, condition in broken.items() %}
                if({{ condition }}, {{ string_literal(rule ~ '; ') }}, ''){{ ',' if not loop.last }}
                {%- endfor %}
            ) as broken_rules,
            tested.*
        from {{ model }} as tested
    )

    select *
    from judged
    where broken_rules != ''
{% endtest %}


{#- A number within bounds, both inclusive unless `exclusive`; either may be left out. NULL passes. -#}
{% test within(model, column_name, min=none, max=none, exclusive=false) %}
    select {{ column_name }}
    from {{ model }} as tested
    where
        false
        {%- if min is not none %}
        or {{ column_name }} {{ '<=' if exclusive else '<' }} {{ min }}
        {%- endif %}
        {%- if max is not none %}
        or {{ column_name }} {{ '>=' if exclusive else '>' }} {{ max }}
        {%- endif %}
{% endtest %}


{#- An expression that holds in every row; a row where it is NULL passes, as in a CHECK constraint. -#}
{% test holds(model, expression) %}
    select *
    from {{ model }} as tested
    where not ({{ expression }})
{% endtest %}
