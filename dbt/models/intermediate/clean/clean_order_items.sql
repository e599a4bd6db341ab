with

staged as (
    select *
    from {{ ref('conformed_order_items') }}
),

-- All columns of the conformed view. A list would repeat them, and a new column would be missing.
final as (
    select *
    from staged
    where {{ not_quarantined('conformed_order_items', key=['organization_id', 'order_item_id']) }}
)

select *  -- noqa: AM04
from final
