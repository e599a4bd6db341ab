{#- Generated from include/sources/support.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('support', 'ticket_sla_events') }}
),

final as (
    select
        'support' as source_system,
        organization_id,
        ticket_id,
        metric,
        target_minutes,
        breached,
        breached_at,
        fulfilled_at,
        elapsed_minutes,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
