with

source as (
    {{ unite('deal_stage_history') }}
),

final as (
    select
        history_id,
        organization_id,
        deal_id,
        {{ known_as('from_stage', 'deal_stage_synonyms') }} as from_stage,
        {{ known_as('to_stage', 'deal_stage_synonyms') }} as to_stage,
        amount,
        probability_pct,
        changed_by_user_id,
        changed_at,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
