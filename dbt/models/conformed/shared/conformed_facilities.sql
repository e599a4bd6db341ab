with

source as (
    {{ unite('facilities') }}
),

final as (
    select
        facility_id,
        organization_id,
        {{ text('name') }} as facility_name,
        {{ text('city') }} as city,
        {{ text('region') }} as region,
        created_at,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
