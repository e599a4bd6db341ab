{{ config(cluster_by=['organization_id', 'product_id']) }}
with

products as (
    select *
    from {{ ref('conformed_products') }}
),

organizations as (
    select
        organization_id,
        reporting_currency
    from {{ ref('dim_organizations') }}
),

rates as (
    select
        currency,
        rate_day,
        rate_to_usd
    from {{ ref('int_reference__fx_rates_daily') }}
),

price_tiers as (
    select
        price_tier,
        from_amount,
        below_amount
    from {{ ref('price_tiers') }}
),

converted as (
    select
        products.organization_id,
        products.product_id,
        products.sku,
        products.product_name,
        products.product_category,
        products.product_type,
        products.unit_price,
        products.unit_cost,
        products.unit_margin,
        products.currency,
        products.stock_quantity,
        products.reorder_level,
        products.is_active,
        products.created_at,
        products.updated_at,
        organizations.reporting_currency,
        {{ to_reporting_currency(
            'products.unit_price', 'products.currency', 'organizations.reporting_currency',
            'own_rates.rate_to_usd', 'reporting_rates.rate_to_usd'
        ) }} as unit_price_reporting
    from products
    left join organizations
        on organizations.organization_id = products.organization_id
    {{ join_fx_rate('rates', 'own_rates', 'products.currency', last_day_seen()) }}
    {{ join_fx_rate('rates', 'reporting_rates', 'organizations.reporting_currency', last_day_seen()) }}
),

tiers as (
    {{ classify_band(
        'converted', ['organization_id', 'product_id'], 'unit_price_reporting', 'price_tiers', 'price_tier', 'from_amount', 'below_amount'
    ) }}
),

final as (
    select
        {{ generate_surrogate_key(['converted.organization_id', 'converted.product_id']) }} as product_key,
        converted.organization_id,
        converted.product_id,
        converted.sku,
        converted.product_name,
        converted.product_category,
        converted.product_type,
        converted.unit_price,
        converted.unit_cost,
        converted.currency,
        converted.unit_price_reporting,
        converted.reporting_currency,
        converted.unit_margin as margin_amount,
        cast(converted.unit_margin as float64) / nullif(cast(converted.unit_price as float64), 0) * 100 as margin_pct,
        tiers.price_tier,
        converted.stock_quantity,
        converted.reorder_level,
        case
            when converted.stock_quantity <= 0 then 'out_of_stock'
            when converted.stock_quantity <= converted.reorder_level then 'low'
            when converted.stock_quantity > converted.reorder_level then 'in_stock'
            else 'unknown'
        end as inventory_status,
        converted.is_active,
        converted.created_at,
        converted.updated_at
    from converted
    left join tiers
        on tiers.organization_id = converted.organization_id
        and tiers.product_id = converted.product_id
)

select *
from final
