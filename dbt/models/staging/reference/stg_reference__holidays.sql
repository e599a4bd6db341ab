{#- Generated from include/sources/reference.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('reference', 'holidays') }}
),

final as (
    select
        'reference' as source_system,
        organization_id,
        holiday_date,
        name,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
