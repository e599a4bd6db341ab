with

staged as (
    select *
    from {{ ref('stg_crm__order_items') }}
),

-- All columns of the staging view. A list would repeat them, and a new column would be missing.
final as (
    select *
    from staged
    where {{ not_quarantined('stg_crm__order_items', key=['organization_id', 'order_item_id']) }}
)

select *  -- noqa: AM04
from final
