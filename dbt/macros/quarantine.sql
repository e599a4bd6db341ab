{#- The condition that a row of a conformed view, read as `staged`, is not in quarantine. `key` is the key of the view's `quarantine` rules. The gate
    identifies a row by the text of its key columns, separated by a bar. -#}
{% macro not_quarantined(view, key) -%}
    {%- set parts = [] -%}
    {%- for column in key -%}
        {%- do parts.append('cast(staged.' ~ column ~ ' as string)') -%}
    {%- endfor -%}
    not exists (
            select 1
            from {{ source('quarantine', 'quarantined_rows') }} as quarantined
            where quarantined.relation = '{{ view }}'
                and quarantined.row_key = concat({{ parts | join(", '|', ") }})
        )
{%- endmacro %}
