with

source as (
    {{ unite('outreach') }}
),

renamed as (
    select
        outreach_id,
        organization_id,
        facility_id,
        rep_user_id,
        lead_id,
        {{ category('channel') }} as channel,
        sent_at,
        responded_at,
        converted_at,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
),

final as (
    select
        outreach_id,
        organization_id,
        facility_id,
        rep_user_id,
        lead_id,
        channel,
        sent_at,
        responded_at,
        converted_at,
        responded_at is not null as is_responded,
        converted_at is not null as is_converted,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from renamed
)

select * from final
