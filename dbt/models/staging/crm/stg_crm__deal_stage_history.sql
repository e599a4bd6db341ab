{#- Generated from include/sources/crm.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('crm', 'deal_stage_history') }}
),

final as (
    select
        'crm' as source_system,
        history_id,
        organization_id,
        deal_id,
        from_stage,
        to_stage,
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
