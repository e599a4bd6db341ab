{#- The rows of an entity of the contract, from every system that feeds it: the union of its staging views. The macro is the body of a conformed
    model's import CTE. An entity without a source has no rows. The var `only_sources` names the sources to unite; without it, all. -#}
{% macro unite(entity) -%}
    {%- set fed = feeds()[entity] -%}
    {%- set only = var('only_sources') -%}
    {%- set views = [] -%}
    {%- for each in fed['views'] if not only or each.source in only -%}
        {%- do views.append(each.view) -%}
    {%- endfor -%}
    {%- for view in views -%}
    select * from {{ ref(view) }}
    {%- if not loop.last %}
    union all
    {% endif -%}
    {%- else -%}
    select
        cast(null as string) as source_system,
        {%- for name, type in fed['columns'].items() %}
        cast(null as {{ type }}) as {{ name }},
        {%- endfor %}
        cast(null as timestamp) as _extracted_at,
        cast(null as timestamp) as _loaded_at,
        cast(null as string) as _batch_id
    from (select 1)
    where false
    {%- endfor -%}
{%- endmacro %}
