with

source as (
    {{ unite('organizations') }}
),

final as (
    select
        organization_id,
        {{ text('name') }} as organization_name,
        {{ text('timezone') }} as timezone,
        {{ currency_code('reporting_currency') }} as reporting_currency,
        created_at,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
