with

source as (
    {{ unite('business_hours') }}
),

final as (
    select
        organization_id,
        weekday,
        {{ text('opens_at') }} as opens_at,
        {{ text('closes_at') }} as closes_at,
        {{ local_time('opens_at') }} as opens_time,
        -- 24:00 is the end of the day. A window until 00:00 ends there too.
        if(trim(closes_at) in ('24:00', '24:00:00'), time '00:00:00', {{ local_time('closes_at') }}) as closes_time,
        valid_from,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
