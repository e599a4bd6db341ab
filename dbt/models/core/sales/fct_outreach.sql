{{
    config(
        partition_by={'field': 'sent_date', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'facility_id', 'rep_user_id']
    )
}}
with

outreach as (
    select *
    from {{ ref('conformed_outreach') }}
),

facilities as (
    select
        organization_id,
        facility_id
    from {{ ref('dim_facilities') }}
),

users as (
    select
        organization_id,
        user_id
    from {{ ref('dim_users') }}
),

leads as (
    select
        organization_id,
        lead_id,
        lead_key
    from {{ ref('fct_leads') }}
),

placed as (
    select
        outreach.organization_id,
        outreach.outreach_id,
        coalesce(facilities.facility_id, 'unknown') as facility_id,
        coalesce(users.user_id, 'unknown') as rep_user_id,
        leads.lead_key,
        outreach.lead_id,
        outreach.channel,
        outreach.sent_at,
        if(outreach.responded_at < {{ as_of() }}, outreach.responded_at, null) as responded_at,
        if(outreach.converted_at < {{ as_of() }}, outreach.converted_at, null) as converted_at,
        outreach.updated_at
    from outreach
    left join facilities
        on facilities.organization_id = outreach.organization_id
        and facilities.facility_id = outreach.facility_id
    left join users
        on users.organization_id = outreach.organization_id
        and users.user_id = outreach.rep_user_id
    left join leads
        on leads.organization_id = outreach.organization_id
        and leads.lead_id = outreach.lead_id
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'outreach_id']) }} as outreach_key,
        organization_id,
        outreach_id,
        {{ generate_surrogate_key(['organization_id', 'facility_id']) }} as facility_key,
        facility_id,
        {{ generate_surrogate_key(['organization_id', 'rep_user_id']) }} as rep_user_key,
        rep_user_id,
        lead_key,
        lead_id,
        channel,
        sent_at,
        date(sent_at) as sent_date,
        {{ first_day_of('month', 'date(sent_at)') }} as sent_month,
        responded_at,
        converted_at,
        -- An organization without any answer or conversion does not record them.
        if(count(responded_at) over (partition by organization_id) = 0, null, responded_at is not null) as is_responded,
        if(count(converted_at) over (partition by organization_id) = 0, null, converted_at is not null) as is_converted,
        timestamp_diff(responded_at, sent_at, microsecond) / 3600000000 as hours_to_response,
        updated_at
    from placed
)

select *
from final
