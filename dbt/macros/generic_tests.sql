{#- No two rows of a model share the same values in these columns: the key of a table that needs more than one column.
    Returns each repeated key with its number of rows. -#}
{% test unique_combination(model, columns) %}
    select
        {{ columns | join(', ') }},
        count(*) as row_count
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{% endtest %}


{#- A number within bounds, both inclusive unless `exclusive`; either may be left out. NULL passes. -#}
{% test within(model, column_name, min=none, max=none, exclusive=false) %}
    select {{ column_name }}
    from {{ model }}
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
    from {{ model }}
    where not ({{ expression }})
{% endtest %}
