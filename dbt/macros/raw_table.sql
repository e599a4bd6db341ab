{#- The settings of a raw table from its source's YAML: `key`, `changed_at`, `latest_first`, and at the as-of time of the run
    `visible` and `happened`. -#}
{% macro raw_table(source_name, table_name) -%}
    {%- set raw = raw_tables().get(source_name ~ '.' ~ table_name) -%}
    {%- if raw is none -%}
        {{ exceptions.raise_compiler_error(
            'include/sources/' ~ source_name ~ '.yml has no table ' ~ table_name ~ ': add it there, then run `make generate`'
        ) }}
    {%- endif -%}
    {%- set relation = 'raw_' ~ source_name ~ '.' ~ table_name -%}
    {%- set visible = raw.visible | replace('@as_of', as_of()) | replace(relation, source(source_name, table_name) | string) -%}
    {{- return(dict(raw, visible=visible, happened=raw.happened | replace('@as_of', as_of()))) -}}
{%- endmacro %}
