{#- Stands for the code of the model that is being built, so that an incremental model can tell rows made by older code. -#}
{% macro code_fingerprint() -%}
    {{- local_md5(model.raw_code)[:8] -}}
{%- endmacro %}


{#- dbt's MERGE of an incremental model, with the partitions that it touches as constants: BigQuery then reads, and bills, no other. They are
    asked for first, in one statement of the key and the partition column: those of the rows to merge, and those in which rows of the same key
    lie now. Without the latter a row that has moved to another partition would stay twice. -#}
{% macro bigquery__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
    {%- set predicates = [] + (incremental_predicates or []) -%}
    {%- set partition = adapter.parse_partition_by(config.get('partition_by')) -%}
    {%- if unique_key and partition is not none -%}
        {%- set moved -%}
            select changed.{{ partition.field }}
            from {{ source }} as changed
            union all
            select built.{{ partition.field }}
            from {{ target }} as built
            inner join {{ source }} as changed
                on
                {%- for column in ([unique_key] if unique_key is string else unique_key) %}
                {{ 'and ' if not loop.first }}changed.{{ column }} = built.{{ column }}
                {%- endfor %}
        {%- endset -%}
        {%- do predicates.append(lies_in(partitions_of(moved, partition), 'DBT_INTERNAL_DEST', partition)) -%}
    {%- endif -%}
    {{- return(default__get_merge_sql(target, source, unique_key, dest_columns, predicates)) -}}
{%- endmacro %}


{#- For the post-hook of a partitioned incremental model: removes rows whose key its source no longer shows (deleted at the source, or
    held in quarantine), which a MERGE of changed rows cannot see. Nothing is sent when there are none, or after a full refresh. -#}
{% macro delete_rows_gone_from(relation, key) -%}
    {%- if is_incremental() -%}
        {%- set partition = adapter.parse_partition_by(config.get('partition_by')) -%}
        {%- set gone -%}
            not exists (
                select 1
                from {{ relation }} as shown
                where
                    {%- for column in key %}
                    {{ 'and ' if not loop.first }}shown.{{ column }} = built.{{ column }}
                    {%- endfor %}
            )
        {%- endset -%}
        {%- set partitions = partitions_of('select built.' ~ partition.field ~ ' from ' ~ this ~ ' as built where ' ~ gone, partition) -%}
        {%- if partitions -%}
            delete from {{ this }} as built
            where {{ lies_in(partitions, 'built', partition) }} and {{ gone }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{#- The partitions that rows lie in: pairs of their first day and the day after their last, both none for rows without a value.

    rows       a query with the partition column
    partition  of the model, as dbt parses it -#}
{% macro partitions_of(rows, partition) -%}
    {%- set first_day = 'date_trunc(date(' ~ partition.field ~ '), ' ~ partition.granularity ~ ')' -%}
    {%- set found = run_query(
        'select distinct ' ~ first_day ~ ' as first_day, date_add(' ~ first_day ~ ', interval 1 ' ~ partition.granularity ~ ') as next_day'
        ~ ' from (' ~ rows ~ ') as moved order by first_day'
    ) -%}
    {{- return(found.rows) -}}
{%- endmacro %}


{#- The condition that a row lies in one of these partitions, as constants. Rows without a value have a partition of their own, which is
    always among them. -#}
{% macro lies_in(partitions, alias, partition) -%}
    {%- set column = alias ~ '.' ~ partition.field -%}
    {%- set conditions = [column ~ ' is null'] -%}
    {%- for first_day, next_day in partitions if first_day is not none -%}
        {%- do conditions.append(
            column ~ ' >= ' ~ partition.data_type ~ " '" ~ first_day ~ "' and " ~ column ~ ' < ' ~ partition.data_type ~ " '" ~ next_day ~ "'"
        ) -%}
    {%- endfor -%}
    {{- return('(' ~ conditions | join(' or ') ~ ')') -}}
{%- endmacro %}
