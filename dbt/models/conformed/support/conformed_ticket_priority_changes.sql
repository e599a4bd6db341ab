with

source as (
    {{ unite('ticket_priority_changes') }}
),

final as (
    select
        change_id,
        organization_id,
        ticket_id,
        {{ known_as('from_priority', 'ticket_priority_synonyms') }} as from_priority,
        {{ known_as('to_priority', 'ticket_priority_synonyms') }} as to_priority,
        changed_at,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
