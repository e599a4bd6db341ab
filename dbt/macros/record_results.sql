{#- Writes what became of every node of this invocation to `ops.dbt_results`, in one INSERT (one per 500 nodes, which
    keeps the statement well under BigQuery's limit). Runs as on-run-end; nothing happens while dbt only parses. -#}
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
                values
                {{ rows | join(',\n') }}
            {%- endcall -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}


{#- One result as a tuple of the INSERT. Rows affected are the rows that fail, for a test. -#}
{% macro result_as_row(result) -%}
    {%- set response = result.adapter_response or {} -%}
    {%- set rows = result.failures if result.failures is not none else response.get('rows_affected') -%}
    {%- set values = [
        string_literal(invocation_id),
        string_literal(var('run_id')),
        as_of(),
        string_literal(layer_of(result.node)),
        string_literal(result.node.unique_id),
        string_literal(result.node.resource_type),
        string_literal(result.node.name),
        string_literal(result.status),
        'cast(' ~ (result.execution_time or 0) | round(3) ~ ' as float64)',
        'null' if rows is none else rows | int,
        string_literal(result.message, 1000),
        'current_timestamp()',
    ] -%}
    {{- return('(' ~ values | join(', ') ~ ')') -}}
{%- endmacro %}


{#- The layer of a node: the first folder under models/ for a model and its tests, else the kind of the node. -#}
{% macro layer_of(node) -%}
    {%- set layers = ['staging', 'intermediate', 'core', 'marts', 'metrics'] -%}
    {%- set folder = node.fqn[1] if node.fqn | length > 1 else '' -%}
    {{- return(folder if folder in layers else node.resource_type | string ~ 's') -}}
{%- endmacro %}


{#- A text as a GoogleSQL string literal, cut to `length` characters; `null` for none. -#}
{% macro string_literal(value, length=none) -%}
    {%- if value is none -%}
        {{- return('null') -}}
    {%- endif -%}
    {%- set text = value | string -%}
    {%- set cut = text if length is none else text[:length] -%}
    {%- set escaped = (
        cut
        | replace('\x00', '')
        | replace('\\', '\\\\')
        | replace("'", "\\'")
        | replace('\n', '\\n')
        | replace('\r', '\\r')
    ) -%}
    {{- return("'" ~ escaped ~ "'") -}}
{%- endmacro %}
