{#- Generated from include/sources/crm.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('crm', 'activities') }}
),

final as (
    select
        'crm' as source_system,
        activity_id,
        organization_id,
        account_id,
        contact_id,
        deal_id,
        user_id,
        activity_type,
        subject,
        status,
        outcome,
        due_at,
        completed_at,
        duration_minutes,
        created_at,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
