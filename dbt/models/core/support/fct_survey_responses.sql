{{
    config(
        partition_by={'field': 'sent_date', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'facility_id', 'survey_type']
    )
}}
with

surveys as (
    select *
    from {{ ref('conformed_survey_responses') }}
),

accounts as (
    select
        organization_id,
        account_id,
        account_key
    from {{ ref('dim_accounts') }}
),

facilities as (
    select
        organization_id,
        facility_id,
        facility_key
    from {{ ref('dim_facilities') }}
),

score_classes as (
    select
        survey_type,
        score,
        score_class
    from {{ ref('survey_score_classes') }}
),

-- An answer at or after as_of has not been given yet.
seen as (
    select
        surveys.organization_id,
        surveys.response_id,
        surveys.account_id,
        surveys.contact_id,
        surveys.ticket_id,
        coalesce(facilities.facility_id, 'unknown') as facility_id,
        coalesce(surveys.survey_type, 'unknown') as survey_type,
        -- If no survey of an organization has an answer, its source does not record when they are answered.
        if(
            logical_or(coalesce(surveys.responded_at < {{ as_of() }}, false)) over (partition by surveys.organization_id),
            coalesce(surveys.responded_at < {{ as_of() }}, false),
            null
        ) as is_responded,
        if(surveys.responded_at < {{ as_of() }}, surveys.responded_at, null) as responded_at,
        if(surveys.responded_at < {{ as_of() }}, surveys.score, null) as score,
        if(surveys.responded_at < {{ as_of() }}, surveys.comment, null) as comment,
        surveys.sent_at,
        surveys.updated_at
    from surveys
    left join facilities
        on facilities.organization_id = surveys.organization_id
        and facilities.facility_id = surveys.facility_id
),

final as (
    select
        {{ generate_surrogate_key(['seen.organization_id', 'seen.response_id']) }} as survey_response_key,
        seen.organization_id,
        seen.response_id,
        accounts.account_key,
        seen.account_id,
        facilities.facility_key,
        seen.facility_id,
        seen.contact_id,
        seen.ticket_id,
        seen.survey_type,
        seen.is_responded,
        seen.score,
        score_classes.score_class,
        seen.comment,
        seen.sent_at,
        date(seen.sent_at) as sent_date,
        {{ first_day_of('month', 'date(seen.sent_at)') }} as sent_month,
        seen.responded_at,
        {{ first_day_of('month', 'date(seen.responded_at)') }} as responded_month,
        seen.updated_at
    from seen
    left join accounts
        on accounts.organization_id = seen.organization_id
        and accounts.account_id = seen.account_id
    left join facilities
        on facilities.organization_id = seen.organization_id
        and facilities.facility_id = seen.facility_id
    left join score_classes
        on score_classes.survey_type = seen.survey_type
        and score_classes.score = seen.score
)

select *
from final
