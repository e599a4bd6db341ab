{{
    config(
        partition_by={'field': 'sent_month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'facility_id', 'rep_user_id', 'channel']
    )
}}
{%- set grain = ['organization_id', 'facility_id', 'rep_user_id', 'sent_month', 'channel'] -%}
with

outreach as (
    select
        organization_id,
        facility_id,
        rep_user_id,
        sent_month,
        coalesce(channel, 'unknown') as channel,
        is_responded,
        is_converted
    from {{ ref('fct_outreach') }}
),

facilities as (
    select
        organization_id,
        facility_id,
        facility_name
    from {{ ref('dim_facilities') }}
),

users as (
    select
        organization_id,
        user_id,
        full_name
    from {{ ref('dim_users') }}
),

counted as (
    select
        {{ grain | join(',\n        ') }},
        count(*) as sent_count,
        {{ count_known('is_responded') }} as responded_count,
        {{ count_known('is_converted') }} as converted_count
    from outreach
    group by {{ grain | join(', ') }}
),

rated as (
    select
        {{ grain | join(',\n        ') }},
        sent_count,
        responded_count,
        converted_count,
        100 * responded_count / nullif(sent_count, 0) as response_rate_pct,
        100 * converted_count / nullif(sent_count, 0) as conversion_rate_pct
    from counted
),

ranked as (
    select
        {{ grain | join(',\n        ') }},
        sent_count,
        responded_count,
        converted_count,
        response_rate_pct,
        conversion_rate_pct,
        if(
            coalesce(conversion_rate_pct, response_rate_pct) is null,
            null,
            rank() over (
                partition by organization_id, facility_id, rep_user_id, sent_month
                order by conversion_rate_pct desc, response_rate_pct desc
            )
        ) as channel_rank
    from rated
),

final as (
    select
        {{ generate_surrogate_key([
            'ranked.organization_id', 'ranked.facility_id', 'ranked.rep_user_id', 'ranked.sent_month', 'ranked.channel'
        ]) }} as rep_activity_key,
        ranked.organization_id,
        ranked.facility_id,
        coalesce(facilities.facility_name, 'Unknown') as facility_name,
        ranked.rep_user_id,
        users.full_name as rep_name,
        ranked.sent_month,
        {{ month_is_complete('ranked.sent_month') }} as is_complete,
        ranked.channel,
        ranked.sent_count,
        ranked.responded_count,
        ranked.converted_count,
        ranked.response_rate_pct,
        ranked.conversion_rate_pct,
        ranked.channel_rank
    from ranked
    left join facilities
        on facilities.organization_id = ranked.organization_id
        and facilities.facility_id = ranked.facility_id
    left join users
        on users.organization_id = ranked.organization_id
        and users.user_id = ranked.rep_user_id
)

select *
from final
