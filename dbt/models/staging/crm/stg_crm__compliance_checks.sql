{#- Generated from include/sources/crm.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('crm', 'compliance_checks') }}
),

final as (
    select
        'crm' as source_system,
        check_id,
        organization_id,
        facility_id,
        check_type,
        status,
        due_at,
        completed_at,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
