{{ config(cluster_by=['organization_id', 'account_id']) }}
with

accounts as (
    select *
    from {{ ref('conformed_accounts') }}
),

organizations as (
    select
        organization_id,
        reporting_currency
    from {{ ref('dim_organizations') }}
),

users as (
    select
        organization_id,
        user_id,
        full_name
    from {{ ref('conformed_users') }}
),

roll_up as (
    select
        organization_id,
        account_id,
        top_account_id,
        roll_up_issue
    from {{ ref('int_accounts__roll_up') }}
),

rates as (
    select
        currency,
        rate_day,
        rate_to_usd
    from {{ ref('int_reference__fx_rates_daily') }}
),

segment_rules as (
    select
        segment,
        rule_order,
        plan_tier,
        employees_above
    from {{ ref('segment_rules') }}
),

revenue_bands as (
    select
        revenue_band,
        from_amount,
        below_amount
    from {{ ref('revenue_bands') }}
),

segments as (
    {{ classify_segment('accounts', 'segment_rules') }}
),

converted as (
    select
        accounts.organization_id,
        accounts.account_id,
        accounts.account_name,
        accounts.domain,
        accounts.industry,
        accounts.employee_count,
        accounts.annual_revenue,
        accounts.currency,
        accounts.account_type,
        accounts.status,
        accounts.plan_tier,
        accounts.region,
        accounts.country,
        accounts.city,
        accounts.owner_user_id,
        accounts.signup_date,
        accounts.merged_into_account_id,
        accounts.parent_account_id,
        accounts.created_at,
        accounts.updated_at,
        organizations.reporting_currency,
        {{ to_reporting_currency(
            'accounts.annual_revenue', 'accounts.currency', 'organizations.reporting_currency',
            'own_rates.rate_to_usd', 'reporting_rates.rate_to_usd'
        ) }} as annual_revenue_reporting
    from accounts
    left join organizations
        on organizations.organization_id = accounts.organization_id
    {{ join_fx_rate('rates', 'own_rates', 'accounts.currency', last_day_seen()) }}
    {{ join_fx_rate('rates', 'reporting_rates', 'organizations.reporting_currency', last_day_seen()) }}
),

bands as (
    {{ classify_band(
        'converted', ['organization_id', 'account_id'], 'annual_revenue_reporting', 'revenue_bands', 'revenue_band', 'from_amount',
        'below_amount'
    ) }}
),

final as (
    select
        {{ generate_surrogate_key(['converted.organization_id', 'converted.account_id']) }} as account_key,
        converted.organization_id,
        converted.account_id,
        converted.account_name,
        converted.domain,
        converted.industry,
        converted.employee_count,
        converted.annual_revenue,
        converted.currency,
        converted.annual_revenue_reporting,
        converted.reporting_currency,
        coalesce(bands.revenue_band, 'unknown') as revenue_band,
        converted.account_type,
        converted.status,
        coalesce(
            if(converted.status in ('churned', 'inactive'), converted.status, converted.account_type), 'unknown'
        ) as account_category,
        converted.plan_tier,
        coalesce(segments.segment, 'unknown') as segment,
        converted.region,
        converted.country,
        converted.city,
        converted.owner_user_id,
        coalesce(users.full_name, 'unknown') as owner_name,
        converted.signup_date,
        converted.merged_into_account_id,
        converted.parent_account_id,
        roll_up.top_account_id,
        {{ generate_surrogate_key(['converted.organization_id', 'roll_up.top_account_id']) }} as top_account_key,
        roll_up.top_account_id = converted.account_id as is_top_account,
        roll_up.roll_up_issue,
        converted.created_at,
        converted.updated_at
    from converted
    inner join roll_up
        on roll_up.organization_id = converted.organization_id
        and roll_up.account_id = converted.account_id
    left join segments
        on segments.organization_id = converted.organization_id
        and segments.account_id = converted.account_id
    left join bands
        on bands.organization_id = converted.organization_id
        and bands.account_id = converted.account_id
    left join users
        on users.organization_id = converted.organization_id
        and users.user_id = converted.owner_user_id
)

select *
from final
