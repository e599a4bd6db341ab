{#- Generated from include/sources/crm.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('crm', 'users') }}
),

final as (
    select
        'crm' as source_system,
        user_id,
        organization_id,
        facility_id,
        full_name,
        email,
        role,
        is_active,
        created_at,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
