with

staged as (
    select *
    from {{ ref('stg_crm__order_items') }}
),

final as (
    select *
    from staged
    where {{ not_quarantined('stg_crm__order_items', key=['order_item_id']) }}
)

select *
from final
