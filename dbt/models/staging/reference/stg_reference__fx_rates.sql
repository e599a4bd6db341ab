{#- Generated from include/sources/reference.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('reference', 'fx_rates') }}
),

final as (
    select
        'reference' as source_system,
        rate_date,
        currency,
        rate_to_usd,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
