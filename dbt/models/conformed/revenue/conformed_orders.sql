with

source as (
    {{ unite('orders') }}
),

renamed as (
    select
        order_id,
        organization_id,
        account_id,
        contact_id,
        {{ text('order_number') }} as order_number,
        {{ category('status') }} as status,
        {{ currency_code('currency') }} as currency,
        subtotal_amount,
        discount_amount,
        tax_amount,
        shipping_amount,
        total_amount,
        ordered_at,
        if(shipped_at < {{ as_of() }}, shipped_at, null) as shipped_at,
        if(delivered_at < {{ as_of() }}, delivered_at, null) as delivered_at,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
),

final as (
    select
        order_id,
        organization_id,
        account_id,
        contact_id,
        order_number,
        status,
        currency,
        subtotal_amount,
        discount_amount,
        tax_amount,
        shipping_amount,
        total_amount,
        ordered_at,
        shipped_at,
        delivered_at,
        {{ elapsed('ordered_at', 'shipped_at', 'days') }} as days_to_ship,
        {{ elapsed('ordered_at', 'delivered_at', 'days') }} as fulfilment_days,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from renamed
)

select * from final
