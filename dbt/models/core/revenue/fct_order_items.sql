{{
    config(
        partition_by={'field': 'ordered_date', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'product_id']
    )
}}
{#- The part of the order's own discount that falls on a line. It is unknown if a discount has no subtotal to be spread over. -#}
{%- set order_discount -%}
    if(
            coalesce(orders.discount_amount, 0) = 0,
            0,
            orders.discount_amount * order_items.line_amount / nullif(orders.subtotal_amount, 0)
        )
{%- endset -%}
with

order_items as (
    select *
    from {{ ref('clean_order_items') }}
),

orders as (
    select
        organization_id,
        order_id,
        order_key,
        account_key,
        account_id,
        currency,
        reporting_currency,
        subtotal_amount,
        discount_amount,
        is_revenue,
        ordered_date
    from {{ ref('fct_orders') }}
),

products as (
    select
        organization_id,
        product_id,
        product_key,
        unit_cost,
        currency
    from {{ ref('dim_products') }}
),

rates as (
    select
        currency,
        rate_day,
        rate_to_usd
    from {{ ref('int_reference__fx_rates_daily') }}
),

converted as (
    select
        order_items.organization_id,
        order_items.order_item_id,
        orders.order_key,
        order_items.order_id,
        products.product_key,
        order_items.product_id,
        orders.account_key,
        orders.account_id,
        order_items.quantity,
        order_items.unit_price,
        order_items.discount_amount,
        order_items.line_amount,
        {{ order_discount }} as order_discount_amount,
        order_items.line_amount - {{ order_discount }} as net_amount,
        orders.currency,
        orders.reporting_currency,
        {{ to_reporting_currency(
            'order_items.line_amount', 'orders.currency', 'orders.reporting_currency',
            'own_rates.rate_to_usd', 'reporting_rates.rate_to_usd'
        ) }} as line_amount_reporting,
        {{ to_reporting_currency(
            '(order_items.line_amount - ' ~ order_discount ~ ')', 'orders.currency', 'orders.reporting_currency',
            'own_rates.rate_to_usd', 'reporting_rates.rate_to_usd'
        ) }} as net_amount_reporting,
        products.unit_cost * order_items.quantity as cost_amount,
        products.currency as cost_currency,
        {{ to_reporting_currency(
            'products.unit_cost * order_items.quantity', 'products.currency', 'orders.reporting_currency',
            'cost_rates.rate_to_usd', 'reporting_rates.rate_to_usd'
        ) }} as cost_amount_reporting,
        if(orders.order_id is null, false, orders.is_revenue) as is_revenue,
        orders.ordered_date,
        order_items.updated_at
    from order_items
    left join orders
        on orders.organization_id = order_items.organization_id
        and orders.order_id = order_items.order_id
    left join products
        on products.organization_id = order_items.organization_id
        and products.product_id = order_items.product_id
    {{ join_fx_rate('rates', 'own_rates', 'orders.currency', 'orders.ordered_date') }}
    {{ join_fx_rate('rates', 'cost_rates', 'products.currency', 'orders.ordered_date') }}
    {{ join_fx_rate('rates', 'reporting_rates', 'orders.reporting_currency', 'orders.ordered_date') }}
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'order_item_id']) }} as order_item_key,
        organization_id,
        order_item_id,
        order_key,
        order_id,
        product_key,
        product_id,
        account_key,
        account_id,
        quantity,
        unit_price,
        discount_amount,
        line_amount,
        order_discount_amount,
        net_amount,
        currency,
        reporting_currency,
        line_amount_reporting,
        net_amount_reporting,
        net_amount_reporting is not null as has_rate,
        cost_amount,
        cost_currency,
        cost_amount_reporting,
        is_revenue,
        ordered_date,
        {{ first_day_of('month', 'ordered_date') }} as ordered_month,
        updated_at
    from converted
)

select *
from final
