with

staged as (
    select *
    from {{ ref('stg_support__ticket_priority_changes') }}
),

-- All columns of staging: a list of them would repeat it, and lag behind it.
final as (
    select *
    from staged
    where {{ not_quarantined('stg_support__ticket_priority_changes', key=['change_id']) }}
)

select *  -- noqa: AM04
from final
