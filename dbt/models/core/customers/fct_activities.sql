{{
    config(
        partition_by={'field': 'created_date', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'account_id']
    )
}}
with

activities as (
    select *
    from {{ ref('conformed_activities') }}
),

accounts as (
    select
        organization_id,
        account_id,
        account_key
    from {{ ref('dim_accounts') }}
),

contacts as (
    select
        organization_id,
        contact_id,
        contact_key
    from {{ ref('dim_contacts') }}
),

deals as (
    select
        organization_id,
        deal_id,
        deal_key
    from {{ ref('fct_deals') }}
),

users as (
    select
        organization_id,
        user_id
    from {{ ref('dim_users') }}
),

placed as (
    select
        activities.organization_id,
        activities.activity_id,
        accounts.account_key,
        activities.account_id,
        contacts.contact_key,
        activities.contact_id,
        deals.deal_key,
        activities.deal_id,
        coalesce(users.user_id, 'unknown') as user_id,
        activities.activity_type,
        activities.subject,
        activities.status,
        activities.is_completed,
        activities.is_overdue,
        activities.outcome,
        activities.due_at,
        if(activities.completed_at < {{ as_of() }}, activities.completed_at, null) as completed_at,
        activities.duration_minutes,
        activities.created_at,
        activities.updated_at
    from activities
    left join accounts
        on accounts.organization_id = activities.organization_id
        and accounts.account_id = activities.account_id
    left join contacts
        on contacts.organization_id = activities.organization_id
        and contacts.contact_id = activities.contact_id
    left join deals
        on deals.organization_id = activities.organization_id
        and deals.deal_id = activities.deal_id
    left join users
        on users.organization_id = activities.organization_id
        and users.user_id = activities.user_id
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'activity_id']) }} as activity_key,
        organization_id,
        activity_id,
        account_key,
        account_id,
        contact_key,
        contact_id,
        deal_key,
        deal_id,
        {{ generate_surrogate_key(['organization_id', 'user_id']) }} as user_key,
        user_id,
        activity_type,
        subject,
        status,
        is_completed,
        is_overdue,
        outcome,
        due_at,
        completed_at,
        duration_minutes,
        created_at,
        date(created_at) as created_date,
        updated_at
    from placed
)

select *
from final
