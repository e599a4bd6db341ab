with

source as (
    {{ unite('users') }}
),

final as (
    select
        user_id,
        organization_id,
        facility_id,
        {{ text('full_name') }} as full_name,
        {{ category('email') }} as email,
        {{ category('role') }} as role,
        is_active,
        created_at,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
