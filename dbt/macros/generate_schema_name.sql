{#- Puts each layer into exactly the dataset that its folder names (staging, conformed, core, marts_build, …). Environments differ by
    project, never by a prefix of the dataset. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{- (custom_schema_name or target.schema) | trim -}}
{%- endmacro %}
