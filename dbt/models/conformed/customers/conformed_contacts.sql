with

source as (
    {{ unite('contacts') }}
),

renamed as (
    select
        contact_id,
        organization_id,
        account_id,
        {{ text('first_name') }} as first_name,
        {{ text('last_name') }} as last_name,
        {{ category('email') }} as email,
        {{ text('phone') }} as phone,
        {{ text('title') }} as title,
        is_primary,
        {{ category('status') }} as status,
        {{ text('gender') }} as gender,
        {{ category('income_segment') }} as income_segment,
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
        contact_id,
        organization_id,
        account_id,
        first_name,
        last_name,
        nullif(trim(concat(coalesce(first_name, ''), ' ', coalesce(last_name, ''))), '') as full_name,
        email,
        phone,
        title,
        is_primary,
        status,
        gender,
        income_segment,
        created_at,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from renamed
)

select * from final
