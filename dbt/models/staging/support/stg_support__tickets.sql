{% set resolved = "status in ('resolved', 'closed')" %}

with

source as (
    {{ latest_rows('support', 'tickets') }}
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
        {{ category('priority') }} as priority,
        {{ category('status') }} as status,
        {{ text('subject') }} as subject,
        {{ text('app_version') }} as app_version,
        created_at,
        first_responded_at,
        resolved_at,
        {{ elapsed('created_at', 'resolved_at', 'hours') }} as hours_to_resolution,
        reopened_count,
        csat_score,
        updated_at,
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
        {{ resolved }} as is_resolved,
        subject,
        app_version,
        created_at,
        date_trunc(date(created_at), month) as cohort_month,
        first_responded_at,
        resolved_at,
        if({{ resolved }}, hours_to_resolution, null) as resolution_hours,
        case
            when not {{ resolved }} then null
            when hours_to_resolution <= {{ var('fast_resolution_hours') }} then 'fast'
            when hours_to_resolution <= {{ var('slow_resolution_hours') }} then 'normal'
            when hours_to_resolution is not null then 'slow'
        end as resolution_speed,
        reopened_count,
        csat_score,
        case
            when csat_score >= {{ var('satisfied_from_score') }} then 'satisfied'
            when csat_score <= {{ var('dissatisfied_to_score') }} then 'dissatisfied'
            when csat_score is not null then 'neutral'
        end as satisfaction_level,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from renamed
)

select * from final
