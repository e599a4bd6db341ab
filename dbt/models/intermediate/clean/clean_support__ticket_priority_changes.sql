with

staged as (
    select *
    from {{ ref('stg_support__ticket_priority_changes') }}
),

final as (
    select *
    from staged
    where {{ not_quarantined('stg_support__ticket_priority_changes', key=['change_id']) }}
)

select *
from final
