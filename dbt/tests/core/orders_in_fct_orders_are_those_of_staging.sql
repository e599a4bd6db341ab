{{ config(tags=['critical']) }}
-- Reconciliation: orders in staging = orders in fct_orders, order by order.
select
    coalesce(staged.organization_id, built.organization_id) as organization_id,
    coalesce(staged.order_id, built.order_id) as order_id,
    if(built.order_id is null, 'missing', 'surplus') as difference
from {{ ref('stg_crm__orders') }} as staged
full outer join {{ ref('fct_orders') }} as built
    on built.organization_id = staged.organization_id
    and built.order_id = staged.order_id
where staged.order_id is null or built.order_id is null
