{#- Generated from include/sources/support.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('support', 'root_causes') }}
),

final as (
    select
        'support' as source_system,
        root_cause_id,
        organization_id,
        code,
        name,
        category,
        severity,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
