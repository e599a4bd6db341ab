{#- Generated from include/sources/product.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('product', 'usage_events') }}
),

final as (
    select
        'product' as source_system,
        event_id,
        organization_id,
        account_id,
        user_id,
        event_name,
        event_category,
        app_version,
        occurred_at,
        properties,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
