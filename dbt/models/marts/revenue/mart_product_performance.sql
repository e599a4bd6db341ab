{{
    config(
        partition_by={'field': 'month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'product_id']
    )
}}
{%- set grain = ['organization_id', 'product_id', 'month'] -%}
with

organizations as (
    select
        organization_id,
        reporting_currency
    from {{ ref('dim_organizations') }}
),

products as (
    select
        organization_id,
        product_id,
        product_key,
        sku,
        product_name,
        product_category,
        product_type,
        price_tier,
        inventory_status,
        stock_quantity
    from {{ ref('dim_products') }}
),

items as (
    select
        organization_id,
        coalesce(product_id, 'unknown') as product_id,
        ordered_month as month,
        order_id,
        account_id,
        quantity,
        is_revenue,
        is_revenue and has_rate as is_counted,
        net_amount_reporting,
        line_amount_reporting - net_amount_reporting as order_discount_amount,
        cost_amount_reporting
    from {{ ref('fct_order_items') }}
    where ordered_date <= {{ last_day_seen() }}
),

counted as (
    select
        {{ grain | join(',\n        ') }},
        count(distinct if(is_counted, order_id, null)) as order_count,
        count(distinct if(is_counted, account_id, null)) as customer_count,
        countif(is_counted) as line_count,
        countif(is_revenue and not is_counted) as lines_without_rate,
        countif(is_counted and cost_amount_reporting is null) as lines_without_cost,
        countif(not is_revenue) as excluded_line_count,
        sum(if(is_counted, quantity, 0)) as units_sold,
        sum(if(is_counted, net_amount_reporting, 0)) as revenue_amount,
        sum(if(is_counted, order_discount_amount, 0)) as order_discount_amount,
        sum(if(is_counted and cost_amount_reporting is not null, net_amount_reporting, 0)) as costed_revenue_amount,
        sum(if(is_counted, coalesce(cost_amount_reporting, 0), 0)) as cost_amount
    from items
    group by {{ grain | join(', ') }}
),

final as (
    select
        {{ generate_surrogate_key(['counted.organization_id', 'counted.product_id', 'counted.month']) }}
            as product_performance_key,
        counted.organization_id,
        products.product_key,
        counted.product_id,
        products.sku,
        coalesce(products.product_name, 'unknown') as product_name,
        coalesce(products.product_category, 'unknown') as product_category,
        coalesce(products.product_type, 'unknown') as product_type,
        products.price_tier,
        products.inventory_status,
        products.stock_quantity,
        counted.month,
        {{ month_is_complete('counted.month') }} as is_complete,
        organizations.reporting_currency,
        counted.order_count,
        counted.customer_count,
        counted.line_count,
        counted.lines_without_rate,
        counted.lines_without_cost,
        counted.excluded_line_count,
        counted.units_sold,
        counted.revenue_amount,
        counted.order_discount_amount,
        counted.revenue_amount / nullif(counted.units_sold, 0) as average_unit_revenue,
        counted.costed_revenue_amount,
        counted.cost_amount,
        counted.costed_revenue_amount - counted.cost_amount as margin_amount,
        100 * cast(counted.costed_revenue_amount - counted.cost_amount as float64)
        / nullif(cast(counted.costed_revenue_amount as float64), 0) as margin_pct,
        100 * cast(counted.revenue_amount as float64)
        / nullif(cast(sum(counted.revenue_amount) over (partition by counted.organization_id, counted.month) as float64), 0)
            as revenue_share_pct,
        rank() over (partition by counted.organization_id, counted.month order by counted.revenue_amount desc) as revenue_rank
    from counted
    left join organizations
        on organizations.organization_id = counted.organization_id
    left join products
        on products.organization_id = counted.organization_id
        and products.product_id = counted.product_id
)

select *
from final
