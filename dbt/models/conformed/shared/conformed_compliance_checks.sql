with

source as (
    {{ unite('compliance_checks') }}
),

renamed as (
    select
        check_id,
        organization_id,
        facility_id,
        {{ text('check_type') }} as check_type,
        {{ category('status') }} as status,
        due_at,
        completed_at,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
),

final as (
    select
        check_id,
        organization_id,
        facility_id,
        check_type,
        status,
        due_at,
        completed_at,
        status = 'pending' and due_at < {{ as_of() }} as is_overdue,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from renamed
)

select * from final
