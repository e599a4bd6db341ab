{{ config(tags=['critical']) }}
-- Reconciliation: a month and its segments have the same orders (mtr_revenue_by_month) and recurring revenue (fct_revenue).
with

both_sides as (
    select
        organization_id,
        month,
        order_revenue,
        order_count,
        orders_without_rate,
        ordering_customer_count as customer_count,
        mrr_amount,
        paying_customer_count
    from {{ ref('mtr_customer_segment_summary') }}
    union all
    select
        organization_id,
        month,
        -order_revenue as order_revenue,
        -order_count as order_count,
        -orders_without_rate as orders_without_rate,
        -customer_count as customer_count,
        0 as mrr_amount,
        0 as paying_customer_count
    from {{ ref('mtr_revenue_by_month') }}
    union all
    select
        organization_id,
        month,
        0 as order_revenue,
        0 as order_count,
        0 as orders_without_rate,
        0 as customer_count,
        -mrr_amount as mrr_amount,
        -if(subscription_count > 0, 1, 0) as paying_customer_count
    from {{ ref('fct_revenue') }}
)

select
    organization_id,
    month,
    sum(order_revenue) as order_revenue_difference,
    sum(order_count) as order_count_difference,
    sum(orders_without_rate) as orders_without_rate_difference,
    sum(customer_count) as customer_count_difference,
    sum(mrr_amount) as mrr_difference,
    sum(paying_customer_count) as paying_customer_count_difference
from both_sides
group by organization_id, month
having
    sum(order_revenue) != 0
    or sum(order_count) != 0
    or sum(orders_without_rate) != 0
    or sum(customer_count) != 0
    or sum(mrr_amount) != 0
    or sum(paying_customer_count) != 0
