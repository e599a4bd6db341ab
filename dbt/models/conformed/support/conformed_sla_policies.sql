with

source as (
    {{ unite('sla_policies') }}
),

final as (
    select
        organization_id,
        {{ known_as('priority', 'ticket_priority_synonyms') }} as priority,
        first_response_minutes,
        resolution_minutes,
        {{ known_as('clock', 'sla_clock_synonyms') }} as clock,
        valid_from,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
