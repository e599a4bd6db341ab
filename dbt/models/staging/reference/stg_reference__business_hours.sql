{#- Generated from include/sources/reference.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('reference', 'business_hours') }}
),

final as (
    select
        'reference' as source_system,
        organization_id,
        weekday,
        opens_at,
        closes_at,
        valid_from,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
