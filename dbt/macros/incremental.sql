{#- A hash of the code of the model that is built. With it, an incremental model finds the rows that older code built. -#}
{% macro code_fingerprint() -%}
    {{- local_md5(model.raw_code)[:8] -}}
{%- endmacro %}


{#- dbt's MERGE of an incremental model, with constants for the partitions that it changes, so that BigQuery reads and bills no others. One
    statement before the MERGE asks for the partitions: those of the rows to merge, and those that now contain rows of the same key. Without the
    second kind, a row that changes its partition would exist twice.

    `meta.shown_by: {relation, key}` names a relation that has every row which the model should have. A row whose key is no longer in it was deleted
    at the source or is in quarantine. A DELETE after the MERGE removes such rows, because the MERGE cannot see them. No DELETE is sent without any. -#}
{% macro bigquery__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
    {%- set predicates = [] + (incremental_predicates or []) -%}
    {%- set partition = adapter.parse_partition_by(config.get('partition_by')) -%}
    {%- set gone = is_not_shown_by(config.get('meta').get('shown_by')) -%}
    {%- set partitions = [] -%}
    {%- if unique_key and partition is not none -%}
        {%- set moved -%}
            select changed.{{ partition.field }}, false as is_gone
            from {{ source }} as changed
            union all
            select built.{{ partition.field }}, false as is_gone
            from {{ target }} as built
            inner join {{ source }} as changed
                on
                {%- for column in ([unique_key] if unique_key is string else unique_key) %}
                {{ 'and ' if not loop.first }}changed.{{ column }} = built.{{ column }}
                {%- endfor %}
            {%- if gone %}
            union all
            select built.{{ partition.field }}, true as is_gone
            from {{ target }} as built
            where {{ gone }}
            {%- endif %}
        {%- endset -%}
        {%- set partitions = partitions_of(moved, partition) -%}
        {%- do predicates.append(lies_in(partitions, 'DBT_INTERNAL_DEST', partition)) -%}
    {%- endif -%}
    {{- default__get_merge_sql(target, source, unique_key, dest_columns, predicates) -}}
    {%- set with_gone = partitions | selectattr('is_gone') | list -%}
    {%- if with_gone -%}
        ;
        delete from {{ target }} as built
        where {{ lies_in(with_gone, 'built', partition) }} and {{ gone }}
    {%- endif -%}
{%- endmacro %}


{#- The condition that a row `built` of the model is no longer in a relation. It is empty without a relation. -#}
{% macro is_not_shown_by(shown_by) -%}
    {%- if shown_by -%}
        not exists (
            select 1
            from {{ ref(shown_by.relation) }} as shown
            where
                {%- for column in shown_by.key %}
                {{ 'and ' if not loop.first }}shown.{{ column }} = built.{{ column }}
                {%- endfor %}
        )
    {%- endif -%}
{%- endmacro %}


{#- The partitions of rows, as rows of `first_day` and `next_day`, and whether one of the rows `is_gone`. Both days are NULL for rows without a value.

    rows       a query with the partition column and `is_gone`
    partition  of the model, as dbt parses it -#}
{% macro partitions_of(rows, partition) -%}
    {%- set first_day = 'date_trunc(date(' ~ partition.field ~ '), ' ~ partition.granularity ~ ')' -%}
    {%- set found = run_query(
        'select first_day, date_add(first_day, interval 1 ' ~ partition.granularity ~ ') as next_day, logical_or(is_gone) as is_gone'
        ~ ' from (select ' ~ first_day ~ ' as first_day, is_gone from (' ~ rows ~ ') as moved) as days group by first_day order by first_day'
    ) -%}
    {{- return(found.rows) -}}
{%- endmacro %}


{#- The condition that a row lies in one of these partitions, as constants. Rows without a value have a partition of their own, which is
    always included. -#}
{% macro lies_in(partitions, alias, partition) -%}
    {%- set column = alias ~ '.' ~ partition.field -%}
    {%- set conditions = [column ~ ' is null'] -%}
    {%- for first_day, next_day, _ in partitions if first_day is not none -%}
        {%- do conditions.append(
            column ~ ' >= ' ~ partition.data_type ~ " '" ~ first_day ~ "' and " ~ column ~ ' < ' ~ partition.data_type ~ " '" ~ next_day ~ "'"
        ) -%}
    {%- endfor -%}
    {{- return('(' ~ conditions | join(' or ') ~ ')') -}}
{%- endmacro %}
