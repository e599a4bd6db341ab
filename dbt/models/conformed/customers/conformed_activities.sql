with

source as (
    {{ unite('activities') }}
),

renamed as (
    select
        activity_id,
        organization_id,
        account_id,
        contact_id,
        deal_id,
        user_id,
        {{ category('activity_type') }} as activity_type,
        {{ text('subject') }} as subject,
        {{ category('status') }} as status,
        {{ category('outcome') }} as outcome,
        due_at,
        completed_at,
        duration_minutes,
        created_at,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
),

final as (
    select
        activity_id,
        organization_id,
        account_id,
        contact_id,
        deal_id,
        user_id,
        activity_type,
        subject,
        status,
        status = 'completed' as is_completed,
        status = 'planned' and due_at < {{ as_of() }} as is_overdue,
        outcome,
        due_at,
        completed_at,
        duration_minutes,
        created_at,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from renamed
)

select * from final
