with

source as (
    {{ unite('ticket_sla_events') }}
),

renamed as (
    select
        organization_id,
        ticket_id,
        metric,
        {{ known_as('metric', 'sla_metric_synonyms') }} as known_metric,
        target_minutes,
        breached,
        breached_at,
        fulfilled_at,
        elapsed_minutes,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
),

final as (
    select
        organization_id,
        ticket_id,
        metric,
        if(known_metric in ('first_response', 'resolution'), known_metric, null) as sla_metric,
        target_minutes,
        breached,
        breached_at,
        fulfilled_at,
        elapsed_minutes,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from renamed
)

select * from final
