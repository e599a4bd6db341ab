{#- The labels of every BigQuery job that dbt starts, as the JSON that `job-label: true` expects. -#}
{% macro query_labels(node) -%}
    {%- set labels = {
        'platform': 'customer-intelligence',
        'environment': env_var('PLATFORM_ENVIRONMENT', 'local'),
        'invocation_id': invocation_id,
    } -%}
    {%- if node is not none -%}
        {%- do labels.update({'node': node.name[:63] | lower}) -%}
    {%- endif -%}
    {{- return(tojson(labels)) -}}
{%- endmacro %}
