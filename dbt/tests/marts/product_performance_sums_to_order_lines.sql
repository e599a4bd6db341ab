{{ config(tags=['critical']) }}
-- Reconciliation: every line of a known order is in one row of its product and month, with its revenue.
with

facts as (
    select
        organization_id,
        count(*) as line_count,
        sum(if(is_revenue, coalesce(line_amount_reporting, 0), 0)) as revenue_amount
    from {{ ref('fct_order_items') }}
    where ordered_date <= {{ last_day_seen() }}
    group by organization_id
),

products as (
    select
        organization_id,
        sum(line_count + lines_without_rate + excluded_line_count) as line_count,
        sum(revenue_amount) as revenue_amount
    from {{ ref('mart_product_performance') }}
    group by organization_id
)

select
    facts.organization_id,
    facts.line_count as lines_in_facts,
    products.line_count as lines_in_mart,
    facts.revenue_amount as revenue_in_facts,
    products.revenue_amount as revenue_in_mart
from facts
full outer join products
    on products.organization_id = facts.organization_id
where
    facts.organization_id is null
    or products.organization_id is null
    or facts.line_count != products.line_count
    or facts.revenue_amount != products.revenue_amount
