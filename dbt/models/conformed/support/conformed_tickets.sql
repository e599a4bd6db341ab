{% set open = "status in ('open', 'pending', 'on_hold', 'escalated')" %}
{% set resolved = "status in ('resolved', 'closed', 'merged')" %}

with

source as (
    {{ unite('tickets') }}
),

renamed as (
    select
        ticket_id,
        organization_id,
        account_id,
        contact_id,
        facility_id,
        product_id,
        category_id,
        root_cause_id,
        assignee_user_id,
        {{ category('channel') }} as channel,
        {{ known_as('priority', 'ticket_priority_synonyms') }} as priority,
        {{ known_as('status', 'ticket_status_synonyms') }} as status,
        {{ text('subject') }} as subject,
        {{ text('app_version') }} as app_version,
        created_at,
        first_responded_at,
        resolved_at,
        {{ elapsed('created_at', 'resolved_at', 'hours') }} as hours_to_resolution,
        reopened_count,
        csat_score,
        merged_into_ticket_id,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
),

final as (
    select
        ticket_id,
        organization_id,
        account_id,
        contact_id,
        facility_id,
        product_id,
        category_id,
        root_cause_id,
        assignee_user_id,
        channel,
        priority,
        status,
        {{ open }} as is_open,
        {{ resolved }} as is_resolved,
        subject,
        app_version,
        created_at,
        date_trunc(date(created_at), month) as cohort_month,
        first_responded_at,
        resolved_at,
        if({{ resolved }}, hours_to_resolution, null) as resolution_hours,
        reopened_count,
        csat_score,
        merged_into_ticket_id,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from renamed
)

select * from final
