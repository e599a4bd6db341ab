{{ config(materialized='table') }}
{#- Windows are counted in microseconds before as_of. So "the last n days" have the same length for a run at midnight
    and for a run in the middle of a day. The rows of fct_usage are whole days and cannot give that. -#}
{%- set day = 86400000000 -%}
{%- set categories = "'" ~ var('event_categories') | join("', '") ~ "'" -%}
{%- set is_in_usage_days = 'events.microseconds_ago <= health_settings.usage_days * ' ~ day -%}
{%- set is_in_frequency_days = 'events.microseconds_ago <= churn_settings.frequency_days * ' ~ day -%}
{%- set month = first_day_of('month', last_day_seen()) -%}
with

health_settings as (
    select
        usage_days,
        ticket_days
    from {{ ref('customer_health_settings') }}
),

churn_settings as (
    select
        frequency_days,
        ticket_days
    from {{ ref('churn_risk_settings') }}
),

recorded as (
    select
        organization_id,
        has_usage,
        has_tickets,
        has_subscriptions
    from {{ ref('int_organizations__recorded') }}
),

accounts as (
    select
        organization_id,
        account_id,
        account_key,
        account_name,
        top_account_id,
        is_top_account,
        segment,
        plan_tier,
        region,
        owner_user_id,
        owner_name,
        reporting_currency
    from {{ ref('dim_accounts') }}
),

lifecycles as (
    select
        account_key,
        lifecycle_stage
    from {{ ref('fct_account_lifecycle') }}
),

events as (
    select
        organization_id,
        account_id,
        event_category,
        is_login,
        occurred_at,
        timestamp_diff({{ as_of() }}, occurred_at, microsecond) as microseconds_ago
    from {{ ref('conformed_usage_events') }}
),

tickets as (
    select
        organization_id,
        account_id,
        is_open,
        case
            when 'breached' in (response_state, resolution_state) then true
            when response_state != 'unknown' or resolution_state != 'unknown' then false
        end as is_breached,
        if(csat_tier is not null, csat_score, null) as csat_score,
        timestamp_diff({{ as_of() }}, created_at, microsecond) as microseconds_ago
    from {{ ref('fct_tickets') }}
    where created_at < {{ as_of() }} and not is_merged
),

revenue as (
    select
        organization_id,
        account_id,
        month,
        subscription_count,
        mrr_amount,
        mrr_3_months_ago_amount,
        mrr_at_rate_of_3_months_ago_amount,
        subscriptions_without_rate = 0
        and coalesce(lag(subscriptions_without_rate, 3) over (account_history), 0) = 0
        and (
            subscriptions_without_rate_of_3_months_ago = 0
            or coalesce(lag(subscription_count, 3) over (account_history), 0) = 0
        ) as is_revenue_comparable
    from {{ ref('fct_revenue') }}
    window account_history as (partition by organization_id, account_id order by month)
),

usage as (
    select
        accounts.organization_id,
        accounts.top_account_id as account_id,
        count(*) as event_count_ever,
        countif({{ is_in_usage_days }}) as event_count,
        count(distinct if(
            {{ is_in_usage_days }},
            cast(floor((events.microseconds_ago - 1) / {{ day }}) as int64),
            null
        )) as active_day_count,
        if(
            countif({{ is_in_usage_days }}) > 0
            and countif({{ is_in_usage_days }} and events.event_category is not null) = 0,
            null,
            count(distinct if(
                {{ is_in_usage_days }} and events.event_category in ({{ categories }}), events.event_category, null
            ))
        ) as used_category_count,
        countif({{ is_in_frequency_days }}) as frequency_event_count,
        countif(
            events.microseconds_ago > churn_settings.frequency_days * {{ day }}
            and events.microseconds_ago <= 2 * churn_settings.frequency_days * {{ day }}
        ) as earlier_event_count,
        {{ sum_known(is_in_frequency_days, 'cast(events.is_login as int64)') }} as login_count,
        max(events.occurred_at) as last_event_at,
        max(if(events.is_login, events.occurred_at, null)) as last_login_at
    from events
    inner join accounts
        on accounts.organization_id = events.organization_id
        and accounts.account_id = events.account_id
    cross join health_settings
    cross join churn_settings
    group by accounts.organization_id, accounts.top_account_id
),

support as (
    select
        accounts.organization_id,
        accounts.top_account_id as account_id,
        {{ count_known('tickets.is_open') }} as open_ticket_count,
        countif(tickets.microseconds_ago <= health_settings.ticket_days * {{ day }}) as ticket_count,
        {{ sum_known(
            'tickets.microseconds_ago <= health_settings.ticket_days * ' ~ day, 'cast(tickets.is_breached as int64)'
        ) }} as breached_ticket_count,
        countif(tickets.csat_score is not null and tickets.microseconds_ago <= health_settings.ticket_days * {{ day }})
            as csat_response_count,
        sum(if(tickets.microseconds_ago <= health_settings.ticket_days * {{ day }}, tickets.csat_score, null))
            as csat_score_sum,
        {{ sum_known(
            'tickets.microseconds_ago <= churn_settings.ticket_days * ' ~ day, 'cast(tickets.is_breached as int64)'
        ) }} as risk_breached_ticket_count
    from tickets
    inner join accounts
        on accounts.organization_id = tickets.organization_id
        and accounts.account_id = tickets.account_id
    cross join health_settings
    cross join churn_settings
    group by accounts.organization_id, accounts.top_account_id
),

final as (
    select
        accounts.organization_id,
        accounts.account_id,
        accounts.account_key,
        accounts.account_name,
        accounts.segment,
        accounts.plan_tier,
        accounts.region,
        accounts.owner_user_id,
        accounts.owner_name,
        lifecycles.lifecycle_stage,
        accounts.reporting_currency,
        cast({{ zero_without_rows('recorded.has_usage', 'usage.account_id', 'usage.event_count_ever') }} as int64)
            as event_count_ever,
        cast({{ zero_without_rows('recorded.has_usage', 'usage.account_id', 'usage.event_count') }} as int64)
            as event_count,
        cast({{ zero_without_rows('recorded.has_usage', 'usage.account_id', 'usage.active_day_count') }} as int64)
            as active_day_count,
        cast({{ zero_without_rows('recorded.has_usage', 'usage.account_id', 'usage.used_category_count') }} as int64)
            as used_category_count,
        cast({{ zero_without_rows('recorded.has_usage', 'usage.account_id', 'usage.frequency_event_count') }} as int64)
            as frequency_event_count,
        cast({{ zero_without_rows('recorded.has_usage', 'usage.account_id', 'usage.earlier_event_count') }} as int64)
            as earlier_event_count,
        cast({{ zero_without_rows('recorded.has_usage', 'usage.account_id', 'usage.login_count') }} as int64)
            as login_count,
        usage.last_event_at,
        usage.last_login_at,
        cast({{ zero_without_rows('recorded.has_tickets', 'support.account_id', 'support.open_ticket_count') }} as int64)
            as open_ticket_count,
        cast({{ zero_without_rows('recorded.has_tickets', 'support.account_id', 'support.ticket_count') }} as int64)
            as ticket_count,
        cast({{ zero_without_rows('recorded.has_tickets', 'support.account_id', 'support.breached_ticket_count') }} as int64)
            as breached_ticket_count,
        cast({{ zero_without_rows('recorded.has_tickets', 'support.account_id', 'support.csat_response_count') }} as int64)
            as csat_response_count,
        support.csat_score_sum / nullif(support.csat_response_count, 0) as mean_csat_score,
        cast({{ zero_without_rows('recorded.has_tickets', 'support.account_id', 'support.risk_breached_ticket_count') }} as int64)
            as risk_breached_ticket_count,
        cast({{ zero_without_rows('recorded.has_subscriptions', 'revenue.account_id', 'revenue.subscription_count') }} as int64)
            as subscription_count,
        {{ zero_without_rows('recorded.has_subscriptions', 'revenue.account_id', 'revenue.mrr_amount') }}
            as mrr_amount,
        {{ zero_without_rows('recorded.has_subscriptions', 'revenue.account_id', 'revenue.mrr_3_months_ago_amount') }}
            as mrr_3_months_ago_amount,
        {{ zero_without_rows('recorded.has_subscriptions', 'revenue.account_id', 'revenue.mrr_at_rate_of_3_months_ago_amount') }}
            as mrr_at_rate_of_3_months_ago_amount,
        coalesce(revenue.is_revenue_comparable, true) as is_revenue_comparable
    from accounts
    left join recorded
        on recorded.organization_id = accounts.organization_id
    left join lifecycles
        on lifecycles.account_key = accounts.account_key
    left join usage
        on usage.organization_id = accounts.organization_id
        and usage.account_id = accounts.account_id
    left join support
        on support.organization_id = accounts.organization_id
        and support.account_id = accounts.account_id
    left join revenue
        on revenue.organization_id = accounts.organization_id
        and revenue.account_id = accounts.account_id
        and revenue.month = {{ month }}
    where accounts.is_top_account
)

select *
from final
