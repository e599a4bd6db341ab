with

source as (
    {{ unite('order_items') }}
),

final as (
    select
        order_item_id,
        organization_id,
        order_id,
        product_id,
        quantity,
        unit_price,
        discount_amount,
        line_amount,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
