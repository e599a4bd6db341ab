{#- The full name of an audit table. -#}
{% macro platform_table(dataset, name) -%}
    {{- return(api.Relation.create(database=target.database, schema=dataset, identifier=name, type='table')) -}}
{%- endmacro %}


{#- Creates the audit tables that dbt itself needs, so that `dbt build` works in a project where the pipeline has not run yet.
    The pipeline creates all of them from their definition in include/ops. A test compares the columns here with that definition.
    Runs as on-run-start. -#}
{% macro create_platform_tables() -%}
    {%- if execute -%}
        {%- for name, definition in platform_table_definitions().items() -%}
            {%- set table = platform_table(definition.dataset, name) -%}
            {%- if adapter.get_relation(table.database, table.schema, table.identifier) is none -%}
                {%- do adapter.create_schema(table.without_identifier()) -%}
                {%- call statement('create_' ~ name, auto_begin=false) -%}
                    create table if not exists {{ table }} (
                        {{ definition.columns | join(',\n') }}
                    )
                    partition by date({{ definition.partition_by }})
                    cluster by {{ definition.cluster_by | join(', ') }}
                {%- endcall -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}


{% macro platform_table_definitions() -%}
    {{- return({
        'dbt_results': {
            'dataset': 'ops',
            'columns': [
                'invocation_id string not null',
                'run_id string',
                'as_of timestamp',
                'layer string',
                'node_id string not null',
                'resource_type string',
                'name string',
                'status string',
                'execution_seconds float64',
                'rows_affected int64',
                'message string',
                'finished_at timestamp not null',
            ],
            'partition_by': 'finished_at',
            'cluster_by': ['run_id', 'layer'],
        },
        'quarantined_rows': {
            'dataset': 'quarantine',
            'columns': [
                'relation string not null',
                'row_key string not null',
                'organization_id string',
                'reason string not null',
                'expectation string not null',
                'gate string not null',
                'row_json string',
                'run_id string',
                'as_of timestamp',
                'quarantined_at timestamp not null',
            ],
            'partition_by': 'quarantined_at',
            'cluster_by': ['relation', 'row_key'],
        },
        'account_decisions': {
            'dataset': 'ops',
            'columns': [
                'organization_id string not null',
                'account_id string not null',
                'other_account_id string not null',
                'is_same bool',
                'decided_by string not null',
                'decided_at timestamp not null',
            ],
            'partition_by': 'decided_at',
            'cluster_by': ['organization_id', 'account_id'],
        },
    }) -}}
{%- endmacro %}
