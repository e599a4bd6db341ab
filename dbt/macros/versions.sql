{#- Every visible version of every row of a raw table, one per time of change: the body of a history model's import CTE. Of versions with the same
    time the one counts that staging would show (macro latest_rows), so that the last version of a row is staging's row, or the tombstone that removed it.
    Empty texts and case stay as landed. -#}
{% macro all_versions(source_name, table_name) -%}
    {%- set raw = raw_table(source_name, table_name) -%}
    select *
    from {{ source(source_name, table_name) }} as landed
    where
        {{ raw.visible }}
        and {{ raw.changed_at }} is not null
    qualify
        row_number() over (partition by {{ raw.key | join(', ') }}, {{ raw.changed_at }} order by {{ raw.latest_first }}) = 1
{%- endmacro %}
