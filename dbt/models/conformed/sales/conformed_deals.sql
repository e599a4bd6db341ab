with

source as (
    {{ unite('deals') }}
),

renamed as (
    select
        deal_id,
        organization_id,
        account_id,
        contact_id,
        lead_id,
        facility_id,
        owner_user_id,
        {{ text('name') }} as deal_name,
        {{ known_as('stage', 'deal_stage_synonyms') }} as stage,
        amount,
        {{ currency_code('currency') }} as currency,
        probability_pct,
        expected_close_date,
        closed_at,
        {{ text('lost_reason') }} as lost_reason,
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
        deal_id,
        organization_id,
        account_id,
        contact_id,
        lead_id,
        facility_id,
        owner_user_id,
        deal_name,
        stage,
        stage in ('closed_won', 'closed_lost') as is_closed,
        stage = 'closed_won' as is_won,
        stage not in ('closed_won', 'closed_lost') and expected_close_date < {{ as_of_date() }} as is_overdue,
        amount,
        currency,
        probability_pct,
        expected_close_date,
        closed_at,
        lost_reason,
        created_at,
        date_trunc(date(created_at), month) as cohort_month,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from renamed
)

select * from final
