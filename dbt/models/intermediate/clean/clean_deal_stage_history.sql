with

staged as (
    select *
    from {{ ref('conformed_deal_stage_history') }}
),

-- All columns of the conformed view. A list would repeat them, and a new column would be missing.
final as (
    select *
    from staged
    where {{ not_quarantined('conformed_deal_stage_history', key=['organization_id', 'history_id']) }}
)

select *  -- noqa: AM04
from final
