with

source as (
    {{ unite('holidays') }}
),

final as (
    select
        organization_id,
        holiday_date,
        {{ text('name') }} as holiday_name,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
