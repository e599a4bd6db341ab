{#- Each layer in exactly the dataset that its folder names (staging, core, marts_build, …); environments differ by
    project, never by a prefix on the dataset. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{- (custom_schema_name or target.schema) | trim -}}
{%- endmacro %}
