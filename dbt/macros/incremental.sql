{#- A hash of the code of the model that is built. With it, an incremental model finds the rows that older code built. -#}
{% macro code_fingerprint() -%}
    {{- local_md5(model.raw_code)[:8] -}}
{%- endmacro %}


{#- dbt's MERGE of an incremental model, with constants for the partitions that it changes, so that BigQuery reads and bills no others. One
    statement before the MERGE asks for the partitions: those of the rows to merge, and those that now contain rows of the same key. Without the
    second kind, a row that changes its partition would exist twice.

    `meta.delete_if_not_in: {relation, key}` names a relation that has the key of every row of the model. If a row's key is no longer in it, the row was
    deleted at the source or is in quarantine. The MERGE cannot see such rows, so a DELETE after it removes them. Without any, no DELETE is sent. -#}
{% macro bigquery__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
    {%- set predicates = [] + (incremental_predicates or []) -%}
    {%- set partition = adapter.parse_partition_by(config.get('partition_by')) -%}
    {%- set is_deleted = is_not_in(config.get('meta').get('delete_if_not_in')) -%}
    {%- set partitions = [] -%}
    {%- if unique_key and partition is not none -%}
        {%- set moved -%}
            select changed.{{ partition.field }}, false as is_deleted
            from {{ source }} as changed
            union all
            select built.{{ partition.field }}, false as is_deleted
            from {{ target }} as built
            inner join {{ source }} as changed
                on
                {%- for column in ([unique_key] if unique_key is string else unique_key) %}
                {{ 'and ' if not loop.first }}changed.{{ column }} = built.{{ column }}
                {%- endfor %}
            {%- if is_deleted %}
            union all
            select built.{{ partition.field }}, true as is_deleted
            from {{ target }} as built
            where {{ is_deleted }}
            {%- endif %}
        {%- endset -%}
        {%- set partitions = partitions_of(moved, partition) -%}
        {%- do predicates.append(lies_in(partitions, 'DBT_INTERNAL_DEST', partition)) -%}
    {%- endif -%}
    {{- default__get_merge_sql(target, source, unique_key, dest_columns, predicates) -}}
    {%- set with_deleted = partitions | selectattr('is_deleted') | list -%}
    {%- if with_deleted -%}
        ;
        delete from {{ target }} as built
        where {{ lies_in(with_deleted, 'built', partition) }} and {{ is_deleted }}
    {%- endif -%}
{%- endmacro %}


{#- The condition that the key of a row `built` of the model is not in a relation: `meta.delete_if_not_in`. It is empty without a relation. -#}
{% macro is_not_in(keys) -%}
    {%- if keys -%}
        not exists (
            select 1
            from {{ ref(keys.relation) }} as kept
            where
                {%- for column in keys.key %}
                {{ 'and ' if not loop.first }}kept.{{ column }} = built.{{ column }}
                {%- endfor %}
        )
    {%- endif -%}
{%- endmacro %}


{#- The partitions of rows, as rows of `first_day` and `next_day`, and whether one of the rows `is_deleted`. Both days are NULL for rows without a value.

    rows       a query with the partition column and `is_deleted`
    partition  of the model, as dbt parses it -#}
{% macro partitions_of(rows, partition) -%}
    {%- set first_day = 'date_trunc(date(' ~ partition.field ~ '), ' ~ partition.granularity ~ ')' -%}
    {%- set found = run_query(
        'select first_day, date_add(first_day, interval 1 ' ~ partition.granularity ~ ') as next_day, logical_or(is_deleted) as is_deleted'
        ~ ' from (select ' ~ first_day ~ ' as first_day, is_deleted from (' ~ rows ~ ') as moved) as days group by first_day order by first_day'
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
