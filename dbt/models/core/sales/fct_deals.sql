{{
    config(
        partition_by={'field': 'created_date', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'account_id']
    )
}}
with

deals as (
    select
        * except (closed_at),
        if(is_closed and closed_at < {{ as_of() }}, closed_at, null) as closed_at
    from {{ ref('stg_crm__deals') }}
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

moves as (
    select
        organization_id,
        deal_id,
        count(*) - 1 as stage_changes
    from {{ ref('fct_deal_stage_history') }}
    group by organization_id, deal_id
),

rates as (
    select
        currency,
        rate_day,
        rate_to_usd
    from {{ ref('int_reference__fx_rates_daily') }}
),

dated as (
    select
        *,
        date(coalesce(closed_at, created_at)) as rate_day
    from deals
),

converted as (
    select
        dated.*,
        organizations.reporting_currency,
        {{ to_reporting_currency(
            'dated.amount', 'dated.currency', 'organizations.reporting_currency',
            'own_rates.rate_to_usd', 'reporting_rates.rate_to_usd'
        ) }} as amount_reporting
    from dated
    left join organizations
        on organizations.organization_id = dated.organization_id
    {{ join_fx_rate('rates', 'own_rates', 'dated.currency', 'dated.rate_day') }}
    {{ join_fx_rate('rates', 'reporting_rates', 'organizations.reporting_currency', 'dated.rate_day') }}
),

placed as (
    select
        converted.* except (facility_id, owner_user_id),
        coalesce(facilities.facility_id, 'unknown') as facility_id,
        coalesce(users.user_id, 'unknown') as owner_user_id,
        accounts.account_key,
        contacts.contact_key,
        leads.lead_key,
        coalesce(moves.stage_changes, 0) as stage_changes
    from converted
    left join facilities
        on facilities.organization_id = converted.organization_id
        and facilities.facility_id = converted.facility_id
    left join users
        on users.organization_id = converted.organization_id
        and users.user_id = converted.owner_user_id
    left join accounts
        on accounts.organization_id = converted.organization_id
        and accounts.account_id = converted.account_id
    left join contacts
        on contacts.organization_id = converted.organization_id
        and contacts.contact_id = converted.contact_id
    left join leads
        on leads.organization_id = converted.organization_id
        and leads.lead_id = converted.lead_id
    left join moves
        on moves.organization_id = converted.organization_id
        and moves.deal_id = converted.deal_id
),

final as (
    select
        {{ surrogate_key(['organization_id', 'deal_id']) }} as deal_key,
        organization_id,
        deal_id,
        deal_name,
        account_key,
        account_id,
        contact_key,
        contact_id,
        lead_key,
        lead_id,
        {{ surrogate_key(['organization_id', 'facility_id']) }} as facility_key,
        facility_id,
        {{ surrogate_key(['organization_id', 'owner_user_id']) }} as owner_user_key,
        owner_user_id,
        stage,
        is_closed,
        is_won,
        is_closed and not is_won as is_lost,
        is_overdue,
        amount,
        currency,
        reporting_currency,
        amount_reporting,
        amount_reporting is not null as has_rate,
        cast(probability_pct as numeric) as probability_pct,
        case
            when is_won then amount_reporting
            when is_closed then 0
            else amount_reporting * (probability_pct / numeric '100')
        end as weighted_amount,
        expected_close_date,
        created_at,
        date(created_at) as created_date,
        closed_at,
        date(closed_at) as closed_date,
        timestamp_diff(
            if(is_closed, closed_at, {{ as_of() }}), created_at, microsecond
        ) / 86400000000 as days_in_pipeline,
        timestamp_diff(closed_at, created_at, microsecond) / 86400000000 as sales_cycle_days,
        stage_changes,
        lost_reason,
        updated_at
    from placed
)

select *
from final
