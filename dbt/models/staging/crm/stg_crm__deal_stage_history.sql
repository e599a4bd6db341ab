with

source as (
    {{ latest_rows('crm', 'deal_stage_history') }}
),

final as (
    select
        history_id,
        organization_id,
        deal_id,
        {{ category('from_stage') }} as from_stage,
        {{ category('to_stage') }} as to_stage,
        amount,
        probability_pct,
        changed_by_user_id,
        changed_at,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
