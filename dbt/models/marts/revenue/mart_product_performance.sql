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
        has_rate,
        if(is_revenue, has_rate, is_revenue) as is_counted,
        net_amount_reporting,
        line_amount_reporting - net_amount_reporting as order_discount_amount,
        cost_amount_reporting
    from {{ ref('fct_order_items') }}
    where ordered_date <= {{ last_day_seen() }}
),

counted as (
    select
        {{ grain | join(',\n        ') }},
        {{ count_distinct_known('is_counted', 'order_id') }} as order_count,
        {{ count_distinct_known('is_counted', 'account_id') }} as customer_count,
        {{ count_known('is_counted') }} as line_count,
        countif(is_revenue and not has_rate) as lines_without_rate,
        countif(is_revenue is null) as lines_without_status,
        countif(is_counted and cost_amount_reporting is null) as lines_without_cost,
        {{ count_known('not is_revenue') }} as excluded_line_count,
        {{ sum_known('is_revenue', 'if(has_rate, quantity, null)') }} as units_sold,
        {{ sum_known('is_revenue', 'net_amount_reporting') }} as revenue_amount,
        sum(if(is_counted and quantity is not null, net_amount_reporting, null)) as revenue_of_units,
        {{ sum_known('is_revenue', 'order_discount_amount') }} as order_discount_amount,
        {{ sum_known('is_revenue', 'if(cost_amount_reporting is null, null, net_amount_reporting)') }} as costed_revenue_amount,
        {{ sum_known('is_revenue', 'if(has_rate, cost_amount_reporting, null)') }} as cost_amount
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
        counted.lines_without_status,
        counted.lines_without_cost,
        counted.excluded_line_count,
        counted.units_sold,
        counted.revenue_amount,
        counted.order_discount_amount,
        counted.revenue_of_units / nullif(counted.units_sold, 0) as average_unit_revenue,
        counted.costed_revenue_amount,
        counted.cost_amount,
        counted.costed_revenue_amount - counted.cost_amount as margin_amount,
        100 * cast(counted.costed_revenue_amount - counted.cost_amount as float64)
        / nullif(cast(counted.costed_revenue_amount as float64), 0) as margin_pct,
        100 * cast(counted.revenue_amount as float64)
        / nullif(cast(sum(counted.revenue_amount) over (partition by counted.organization_id, counted.month) as float64), 0)
            as revenue_share_pct,
        if(
            counted.revenue_amount is null,
            null,
            rank() over (partition by counted.organization_id, counted.month order by counted.revenue_amount desc nulls last)
        ) as revenue_rank
    from counted
    left join organizations
        on organizations.organization_id = counted.organization_id
    left join products
        on products.organization_id = counted.organization_id
        and products.product_id = counted.product_id
)

select *
from final
