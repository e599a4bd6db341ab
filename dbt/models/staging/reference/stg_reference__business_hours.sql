with

source as (
    {{ latest_rows('reference', 'business_hours') }}
),

final as (
    select
        organization_id,
        weekday,
        safe.parse_time('%H:%M', opens_at) as opens_at,
        safe.parse_time('%H:%M', closes_at) as closes_at,
        valid_from,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
