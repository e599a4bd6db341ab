with

source as (
    {{ unite('survey_responses') }}
),

renamed as (
    select
        response_id,
        organization_id,
        account_id,
        facility_id,
        contact_id,
        ticket_id,
        {{ category('survey_type') }} as survey_type,
        score,
        {{ text('comment') }} as comment,
        sent_at,
        responded_at,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
),

final as (
    select
        response_id,
        organization_id,
        account_id,
        facility_id,
        contact_id,
        ticket_id,
        survey_type,
        -- Some sources fill the score of every survey. The number of an unanswered survey is no score.
        if(responded_at is null, null, score) as score,
        comment,
        sent_at,
        responded_at,
        responded_at is not null as is_responded,
        date_trunc(date(sent_at), month) as cohort_month,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from renamed
)

select * from final
