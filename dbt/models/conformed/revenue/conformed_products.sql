with

source as (
    {{ unite('products') }}
),

renamed as (
    select
        product_id,
        organization_id,
        {{ text('sku') }} as sku,
        {{ text('name') }} as product_name,
        {{ text('category') }} as product_category,
        {{ text('product_type') }} as product_type,
        unit_price,
        unit_cost,
        {{ currency_code('currency') }} as currency,
        stock_quantity,
        reorder_level,
        is_active,
        created_at,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
),

final as (
    select
        product_id,
        organization_id,
        sku,
        product_name,
        product_category,
        product_type,
        unit_price,
        unit_cost,
        unit_price - unit_cost as unit_margin,
        safe_divide(unit_price - unit_cost, unit_price) * 100 as margin_pct,
        currency,
        stock_quantity,
        reorder_level,
        is_active,
        created_at,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from renamed
)

select * from final
