{#- Generated from include/sources/crm.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('crm', 'products') }}
),

final as (
    select
        'crm' as source_system,
        product_id,
        organization_id,
        sku,
        name,
        category,
        product_type,
        unit_price,
        unit_cost,
        currency,
        stock_quantity,
        reorder_level,
        is_active,
        created_at,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
