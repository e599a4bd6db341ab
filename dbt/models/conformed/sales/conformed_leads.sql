with

source as (
    {{ unite('leads') }}
),

renamed as (
    select
        lead_id,
        organization_id,
        facility_id,
        rep_user_id,
        account_id,
        {{ text('source_channel') }} as source_channel,
        {{ category('stage') }} as stage,
        amount,
        {{ currency_code('currency') }} as currency,
        created_at,
        sql_at,
        opportunity_at,
        closed_at,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
),

final as (
    select
        lead_id,
        organization_id,
        facility_id,
        rep_user_id,
        account_id,
        source_channel,
        stage,
        stage in ('won', 'lost') as is_closed,
        stage = 'won' as is_won,
        amount,
        currency,
        created_at,
        date_trunc(date(created_at), month) as cohort_month,
        sql_at,
        opportunity_at,
        closed_at,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from renamed
)

select * from final
