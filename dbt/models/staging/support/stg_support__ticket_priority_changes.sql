{#- Generated from include/sources/support.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('support', 'ticket_priority_changes') }}
),

final as (
    select
        'support' as source_system,
        change_id,
        organization_id,
        ticket_id,
        from_priority,
        to_priority,
        changed_at,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
