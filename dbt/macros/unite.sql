{#- The rows of an entity of the contract, from every system that feeds it: the union of its staging views. The macro is the body of an import CTE.
    With `versions`, the rows are all versions that the run sees, with `_is_deleted`. An entity that no source feeds has no rows. The var
    `only_sources` names the sources to unite; without it, all. -#}
{% macro unite(entity, versions=false) -%}
    {%- set fed = feeds()[entity] -%}
    {%- set only = var('only_sources') -%}
    {%- set views = [] -%}
    {%- for each in fed['views'] if not only or each.source in only -%}
        {%- do views.append(each['versions' if versions else 'view']) -%}
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
        {%- if versions %}
        cast(null as bool) as _is_deleted,
        {%- endif %}
        cast(null as timestamp) as _extracted_at,
        cast(null as timestamp) as _loaded_at,
        cast(null as string) as _batch_id
    from (select 1)
    where false
    {%- endfor -%}
{%- endmacro %}
