with

staged as (
    select *
    from {{ ref('conformed_ticket_priority_changes') }}
),

-- All columns of the conformed view. A list would repeat them, and a new column would be missing.
final as (
    select *
    from staged
    where {{ not_quarantined('conformed_ticket_priority_changes', key=['organization_id', 'change_id']) }}
)

select *  -- noqa: AM04
from final
