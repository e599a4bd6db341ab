with

staged as (
    select *
    from {{ ref('stg_crm__order_items') }}
),

-- All columns of staging: a list of them would repeat it, and lag behind it.
final as (
    select *
    from staged
    where {{ not_quarantined('stg_crm__order_items', key=['order_item_id']) }}
)

select *  -- noqa: AM04
from final
