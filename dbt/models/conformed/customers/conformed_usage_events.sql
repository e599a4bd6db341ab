with

source as (
    {{ unite('usage_events') }}
),

renamed as (
    select
        event_id,
        organization_id,
        account_id,
        user_id,
        {{ category('event_name') }} as event_name,
        {{ category('event_category') }} as event_category,
        {{ text('app_version') }} as app_version,
        occurred_at,
        -- Without this mode, a number that FLOAT64 cannot hold exactly would make the whole document NULL.
        safe.parse_json(properties, wide_number_mode => 'round') as properties,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
),

final as (
    select
        event_id,
        organization_id,
        account_id,
        user_id,
        event_name,
        event_category,
        event_name = 'login' and coalesce(event_category, 'core') = 'core' as is_login,
        app_version,
        occurred_at,
        date(occurred_at) as event_date,
        properties,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from renamed
)

select * from final
