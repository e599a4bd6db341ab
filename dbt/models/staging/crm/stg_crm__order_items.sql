{#- Generated from include/sources/crm.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('crm', 'order_items') }}
),

final as (
    select
        'crm' as source_system,
        order_item_id,
        organization_id,
        order_id,
        product_id,
        quantity,
        unit_price,
        discount_amount,
        line_amount,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
