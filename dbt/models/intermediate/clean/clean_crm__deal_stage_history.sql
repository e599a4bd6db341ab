with

staged as (
    select *
    from {{ ref('stg_crm__deal_stage_history') }}
),

final as (
    select *
    from staged
    where {{ not_quarantined('stg_crm__deal_stage_history', key=['history_id']) }}
)

select *
from final
