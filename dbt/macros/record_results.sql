{#- Writes the result of every node of this invocation to `ops.dbt_results`. One INSERT has up to 500 nodes, so that the statement stays
    well under BigQuery's limit. The rows are one JSON literal: it is cheap to parse, and the text of error messages is escaped in one place.
    Runs as on-run-end. Does nothing while dbt only parses. -#}
{% macro record_results(results) -%}
    {%- if execute and results -%}
        {%- for chunk in results | batch(500) -%}
            {%- set rows = [] -%}
            {%- for result in chunk -%}
                {%- do rows.append(result_as_row(result)) -%}
            {%- endfor -%}
            {%- call statement('record_results', auto_begin=false) -%}
                insert into {{ platform_table('ops', 'dbt_results') }} (
                    invocation_id, run_id, as_of, layer, node_id, resource_type, name, status,
                    execution_seconds, rows_affected, message, finished_at
                )
                select
                    {{ string_literal(invocation_id) }},
                    {{ string_literal(var('run_id', '') or env_var('DBT_RUN_ID', 'manual')) }},
                    {{ as_of() }},
                    json_value(entry, '$.layer'),
                    json_value(entry, '$.node_id'),
                    json_value(entry, '$.resource_type'),
                    json_value(entry, '$.name'),
                    json_value(entry, '$.status'),
                    cast(json_value(entry, '$.execution_seconds') as float64),
                    cast(json_value(entry, '$.rows_affected') as int64),
                    json_value(entry, '$.message'),
                    current_timestamp()
                from unnest(json_query_array({{ string_literal(tojson(rows)) }})) as entry
            {%- endcall -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}


{#- One result as a row. For a test, the rows affected are the rows that fail. The message of a failed `rows_are_valid` names the broken
    rules. A message is cut to 1,000 characters. -#}
{% macro result_as_row(result) -%}
    {%- set message = result.message -%}
    {%- if result.status in ['warn', 'fail'] and (result.node.test_metadata or {}).name == 'rows_are_valid' -%}
        {%- set message = broken_rules_of(result.node) -%}
    {%- endif -%}
    {%- set response = result.adapter_response or {} -%}
    {%- set rows = result.failures if result.failures is not none else response.get('rows_affected') -%}
    {{- return({
        'layer': layer_of(result.node),
        'node_id': result.node.unique_id,
        'resource_type': result.node.resource_type | string,
        'name': result.node.name,
        'status': result.status | string,
        'execution_seconds': (result.execution_time or 0) | round(3),
        'rows_affected': none if rows is none else rows | int,
        'message': none if message is none else (message | string)[:1000],
    }) -}}
{%- endmacro %}


{#- The rules that rows of a `rows_are_valid` test break, each with the number of rows: `fct_orders_has_rate 3, ordered_at is null 1`.
    Only a test that fails or warns sends this query. -#}
{% macro broken_rules_of(node) -%}
    {%- set counted -%}
        select
            concat(rule, ' ', count(*)) as counted
        from (
            {{ node.compiled_code }}
        ) as failing
        cross join unnest(split(concat(broken_rules, warned_rules), '; ')) as rule
        where rule != ''
        group by rule
        order by count(*) desc, rule
    {%- endset -%}
    {{- return(run_query(counted).columns[0].values() | join(', ')) -}}
{%- endmacro %}


{#- The layer of a node: the folder of its file within `models` or `tests`. A model's tests are in its own file.
    Seeds and snapshots (of every layer) are layers of their own. -#}
{% macro layer_of(node) -%}
    {%- set folders = node.original_file_path.split('/') -%}
    {{- return(folders[1] if folders[0] in ['models', 'tests'] else folders[0]) -}}
{%- endmacro %}


{#- A text as a GoogleSQL string literal. -#}
{% macro string_literal(value) -%}
    {%- set escaped = (
        value | string
        | replace('\\', '\\\\')
        | replace("'", "\\'")
        | replace('\n', '\\n')
        | replace('\r', '\\r')
    ) -%}
    {{- return("'" ~ escaped ~ "'") -}}
{%- endmacro %}
