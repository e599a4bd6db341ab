{{
    config(
        partition_by={'field': 'created_date', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'account_id']
    )
}}
{%- set rate_day = 'date(coalesce(deals.closed_at, deals.created_at))' -%}
with

moves as (
    select
        organization_id,
        deal_id,
        -- An organization without any change does not record them.
        if(max(countif(history_id is not null)) over (partition by organization_id) > 0, count(*) - 1, null) as stage_changes,
        -- The stage that the last change led to, and its time.
        max(if(is_current and history_id is not null, stage, null)) as last_stage,
        max(if(is_current and history_id is not null, valid_from, null)) as last_changed_at
    from {{ ref('fct_deal_stage_history') }}
    group by organization_id, deal_id
),

recorded as (
    select
        organization_id,
        deal_id,
        deal_name,
        account_id,
        contact_id,
        lead_id,
        facility_id,
        owner_user_id,
        stage,
        is_closed,
        is_won,
        is_overdue,
        amount,
        currency,
        probability_pct,
        expected_close_date,
        created_at,
        if(is_closed and closed_at < {{ as_of() }}, closed_at, null) as closed_at,
        logical_or(closed_at is not null) over (partition by organization_id) as has_closing_times,
        lost_reason,
        updated_at
    from {{ ref('conformed_deals') }}
),

-- If an organization does not record when deals are closed, its stage history may say it.
deals as (
    select
        recorded.organization_id,
        recorded.deal_id,
        recorded.deal_name,
        recorded.account_id,
        recorded.contact_id,
        recorded.lead_id,
        recorded.facility_id,
        recorded.owner_user_id,
        recorded.stage,
        recorded.is_closed,
        recorded.is_won,
        recorded.is_overdue,
        recorded.amount,
        recorded.currency,
        recorded.probability_pct,
        recorded.expected_close_date,
        recorded.created_at,
        case
            when recorded.has_closing_times then recorded.closed_at
            when recorded.is_closed and moves.last_stage = recorded.stage then moves.last_changed_at
        end as closed_at,
        moves.stage_changes,
        recorded.lost_reason,
        recorded.updated_at
    from recorded
    left join moves
        on moves.organization_id = recorded.organization_id
        and moves.deal_id = recorded.deal_id
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

leads as (
    select
        organization_id,
        lead_id,
        lead_key
    from {{ ref('fct_leads') }}
),

stages as (
    select
        stage,
        is_open
    from {{ ref('deal_stages') }}
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
        deals.organization_id,
        deals.deal_id,
        deals.deal_name,
        accounts.account_key,
        deals.account_id,
        contacts.contact_key,
        deals.contact_id,
        leads.lead_key,
        deals.lead_id,
        coalesce(facilities.facility_id, 'unknown') as facility_id,
        coalesce(users.user_id, 'unknown') as owner_user_id,
        coalesce(stages.stage, 'unknown') as stage,
        stages.is_open,
        if(stages.stage is null, null, deals.is_closed) as is_closed,
        if(stages.stage is null, null, deals.is_won) as is_won,
        deals.is_overdue,
        deals.amount,
        deals.currency,
        organizations.reporting_currency,
        {{ to_reporting_currency(
            'deals.amount', 'deals.currency', 'organizations.reporting_currency',
            'own_rates.rate_to_usd', 'reporting_rates.rate_to_usd'
        ) }} as amount_reporting,
        deals.probability_pct,
        deals.expected_close_date,
        deals.created_at,
        deals.closed_at,
        deals.stage_changes,
        deals.lost_reason,
        deals.updated_at
    from deals
    left join organizations
        on organizations.organization_id = deals.organization_id
    left join facilities
        on facilities.organization_id = deals.organization_id
        and facilities.facility_id = deals.facility_id
    left join users
        on users.organization_id = deals.organization_id
        and users.user_id = deals.owner_user_id
    left join accounts
        on accounts.organization_id = deals.organization_id
        and accounts.account_id = deals.account_id
    left join contacts
        on contacts.organization_id = deals.organization_id
        and contacts.contact_id = deals.contact_id
    left join leads
        on leads.organization_id = deals.organization_id
        and leads.lead_id = deals.lead_id
    left join stages
        on stages.stage = deals.stage
    {{ join_fx_rate('rates', 'own_rates', 'deals.currency', rate_day) }}
    {{ join_fx_rate('rates', 'reporting_rates', 'organizations.reporting_currency', rate_day) }}
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'deal_id']) }} as deal_key,
        organization_id,
        deal_id,
        deal_name,
        account_key,
        account_id,
        contact_key,
        contact_id,
        lead_key,
        lead_id,
        {{ generate_surrogate_key(['organization_id', 'facility_id']) }} as facility_key,
        facility_id,
        {{ generate_surrogate_key(['organization_id', 'owner_user_id']) }} as owner_user_key,
        owner_user_id,
        stage,
        is_open,
        is_closed,
        is_won,
        is_closed and not is_won as is_lost,
        is_open and is_overdue as is_overdue,
        amount,
        currency,
        reporting_currency,
        amount_reporting,
        amount is null or amount_reporting is not null as has_rate,
        cast(probability_pct as numeric) as probability_pct,
        case
            when is_won then amount_reporting
            when is_closed then 0
            when is_open then amount_reporting * (probability_pct / numeric '100')
        end as weighted_amount,
        expected_close_date,
        created_at,
        date(created_at) as created_date,
        closed_at,
        date(closed_at) as closed_date,
        timestamp_diff(
            if(is_open, {{ as_of() }}, closed_at), created_at, microsecond
        ) / 86400000000 as days_in_pipeline,
        timestamp_diff(closed_at, created_at, microsecond) / 86400000000 as sales_cycle_days,
        stage_changes,
        lost_reason,
        updated_at
    from placed
)

select *
from final
