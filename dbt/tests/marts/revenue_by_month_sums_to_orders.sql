{{ config(tags=['critical']) }}
-- Reconciliation: the orders and the revenue of every organization are in its months once, without a month left out.
with

facts as (
    select
        organization_id,
        count(*) as order_count,
        sum(coalesce(revenue_amount, 0)) as order_revenue
    from {{ ref('fct_orders') }}
    where ordered_at < {{ as_of() }}
    group by organization_id
),

months as (
    select
        organization_id,
        sum(order_count + orders_without_rate + excluded_order_count) as order_count,
        sum(order_revenue) as order_revenue,
        count(*) as month_count,
        date_diff(max(month), min(month), month) + 1 as months_from_first_to_last
    from {{ ref('mtr_revenue_by_month') }}
    group by organization_id
)

select
    facts.organization_id,
    facts.order_count as orders_in_facts,
    months.order_count as orders_in_months,
    facts.order_revenue as revenue_in_facts,
    months.order_revenue as revenue_in_months
from facts
full outer join months
    on months.organization_id = facts.organization_id
where
    facts.organization_id is null
    or months.organization_id is null
    or facts.order_count != months.order_count
    or facts.order_revenue != months.order_revenue
    or months.month_count != months.months_from_first_to_last
