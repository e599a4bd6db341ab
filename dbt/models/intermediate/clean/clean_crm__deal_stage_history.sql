with

staged as (
    select *
    from {{ ref('stg_crm__deal_stage_history') }}
),

-- All columns of staging: a list of them would repeat it, and lag behind it.
final as (
    select *
    from staged
    where {{ not_quarantined('stg_crm__deal_stage_history', key=['history_id']) }}
)

select *  -- noqa: AM04
from final
