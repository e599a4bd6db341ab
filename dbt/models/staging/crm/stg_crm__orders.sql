{#- Generated from include/sources/crm.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('crm', 'orders') }}
),

final as (
    select
        'crm' as source_system,
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
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
