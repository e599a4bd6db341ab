{#- Generated from include/sources/reference.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('reference', 'sla_policies') }}
),

final as (
    select
        'reference' as source_system,
        organization_id,
        priority,
        first_response_minutes,
        resolution_minutes,
        clock,
        valid_from,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
