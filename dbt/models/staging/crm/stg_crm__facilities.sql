{#- Generated from include/sources/crm.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('crm', 'facilities') }}
),

final as (
    select
        'crm' as source_system,
        facility_id,
        organization_id,
        name,
        city,
        region,
        created_at,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
