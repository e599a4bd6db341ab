{#- Every visible version of every row of a raw table, one per time of change. The macro is the body of a history model's import CTE.
    If several versions have the same time, the one that staging would show counts (macro latest_rows). The last version of a row is therefore
    staging's row, or the tombstone that removed it. A row that has returned with an earlier time of change has the time of its tombstone,
    which it replaces. Empty texts and case stay as loaded. With `undated`, a row may also have one version
    without a time of change. It is before all others. Without such a time in the table, each row has only this version. -#}
{% macro all_versions(source_name, table_name, undated=false) -%}
    {%- set raw = raw_table(source_name, table_name) -%}
    {%- if raw.changed_at is none and not undated -%}
        {{ exceptions.raise_compiler_error(
            source_name ~ '.' ~ table_name ~ ' has no time of change: all_versions needs a `cursor` or a timestamp `updated_at` in include/sources/'
            ~ source_name ~ '.yml'
        ) }}
    {%- endif -%}
    select *
    from {{ source(source_name, table_name) }} as _loaded
    where
        {{ raw.visible }}
        {%- if not undated %}
        and {{ raw.order_time }} is not null
        {%- endif %}
    qualify
        row_number() over (partition by {{ (raw.key + [raw.order_time]) | select | join(', ') }} order by {{ raw.latest_first }}) = 1
{%- endmacro %}
