{{
    config(
        partition_by={'field': 'created_date', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'facility_id', 'rep_user_id']
    )
}}
with

leads as (
    select *
    from {{ ref('conformed_leads') }}
),

organizations as (
    select
        organization_id,
        reporting_currency
    from {{ ref('dim_organizations') }}
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

-- The key comes from the conformed view, so that a refresh need not build dim_accounts.
accounts as (
    select
        organization_id,
        account_id,
        {{ generate_surrogate_key(['organization_id', 'account_id']) }} as account_key
    from {{ ref('conformed_accounts') }}
),

stages as (
    select
        stage,
        win_probability,
        stage_weight,
        is_open,
        is_won,
        is_lost
    from {{ ref('lead_stages') }}
),

rates as (
    select
        currency,
        rate_day,
        rate_to_usd
    from {{ ref('int_reference__fx_rates_daily') }}
),

placed as (
    select
        leads.organization_id,
        leads.lead_id,
        coalesce(facilities.facility_id, 'unknown') as facility_id,
        coalesce(users.user_id, 'unknown') as rep_user_id,
        accounts.account_key,
        leads.account_id,
        leads.source_channel,
        coalesce(stages.stage, 'unknown') as stage,
        stages.is_open,
        stages.is_won,
        stages.is_lost,
        leads.amount,
        leads.currency,
        organizations.reporting_currency,
        {{ to_reporting_currency(
            'leads.amount', 'leads.currency', 'organizations.reporting_currency',
            'own_rates.rate_to_usd', 'reporting_rates.rate_to_usd'
        ) }} as amount_reporting,
        stages.win_probability,
        stages.stage_weight,
        leads.created_at,
        logical_or(coalesce(leads.sql_at, leads.opportunity_at) is not null) over (partition by leads.organization_id)
            as has_stage_times,
        if(leads.sql_at < {{ as_of() }}, leads.sql_at, null) as sql_at,
        if(leads.opportunity_at < {{ as_of() }}, leads.opportunity_at, null) as opportunity_at,
        if(leads.closed_at < {{ as_of() }}, leads.closed_at, null) as closed_at,
        leads.updated_at
    from leads
    left join organizations
        on organizations.organization_id = leads.organization_id
    left join facilities
        on facilities.organization_id = leads.organization_id
        and facilities.facility_id = leads.facility_id
    left join users
        on users.organization_id = leads.organization_id
        and users.user_id = leads.rep_user_id
    left join accounts
        on accounts.organization_id = leads.organization_id
        and accounts.account_id = leads.account_id
    left join stages
        on stages.stage = leads.stage
    {{ join_fx_rate('rates', 'own_rates', 'leads.currency', 'date(leads.created_at)') }}
    {{ join_fx_rate('rates', 'reporting_rates', 'organizations.reporting_currency', 'date(leads.created_at)') }}
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'lead_id']) }} as lead_key,
        organization_id,
        lead_id,
        {{ generate_surrogate_key(['organization_id', 'facility_id']) }} as facility_key,
        facility_id,
        {{ generate_surrogate_key(['organization_id', 'rep_user_id']) }} as rep_user_key,
        rep_user_id,
        account_key,
        account_id,
        source_channel,
        stage,
        is_open,
        is_won,
        is_lost,
        amount,
        currency,
        reporting_currency,
        amount_reporting,
        amount is null or amount_reporting is not null as has_rate,
        win_probability,
        stage_weight,
        created_at,
        date(created_at) as created_date,
        {{ first_day_of('month', 'date(created_at)') }} as created_month,
        sql_at,
        opportunity_at,
        closed_at,
        -- An organization without any time of a stage does not record them. The stage of an open lead then counts.
        case
            when sql_at is not null or opportunity_at is not null or is_won then true
            when has_stage_times and stage != 'unknown' then false
            when is_open and not has_stage_times then stage != 'lead'
        end as reached_sql,
        case
            when opportunity_at is not null or is_won then true
            when has_stage_times and stage != 'unknown' then false
            when is_open and not has_stage_times then stage = 'opportunity'
        end as reached_opportunity,
        is_won as reached_won,
        updated_at
    from placed
)

select *
from final
