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


{#- Columns that are never NULL, in one scan where one not_null test each would take as many.
    Returns each column that has NULLs with their number. -#}
{% test required(model, columns) %}
    with

    counted as (
        select
            {%- for column in columns %}
            countif({{ column }} is null) as {{ column }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ model }} as tested
    )

    select
        column_name,
        null_count
    from counted
    unpivot (null_count for column_name in ({{ columns | join(', ') }}))
    where null_count > 0
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
