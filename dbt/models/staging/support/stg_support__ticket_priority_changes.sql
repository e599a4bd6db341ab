with

source as (
    {{ latest_rows('support', 'ticket_priority_changes') }}
),

final as (
    select
        change_id,
        organization_id,
        ticket_id,
        {{ category('from_priority') }} as from_priority,
        {{ category('to_priority') }} as to_priority,
        changed_at,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
