{#- Generated from include/sources/support.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('support', 'ticket_categories') }}
),

final as (
    select
        'support' as source_system,
        category_id,
        organization_id,
        name,
        parent_name,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
