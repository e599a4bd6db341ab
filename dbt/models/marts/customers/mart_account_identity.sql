{{ config(cluster_by=['organization_id', 'identity_status']) }}
with

identities as (
    select
        account_key,
        organization_id,
        account_id,
        account_name,
        source_system,
        identity_status,
        rule,
        confidence,
        candidate_count,
        candidate_account_ids,
        matched_account_id,
        decided_by,
        decided_at
    from {{ ref('dim_account_identity') }}
),

recorded as (
    select
        organization_id,
        has_tickets,
        has_usage
    from {{ ref('int_organizations__recorded') }}
),

accounts as (
    select
        organization_id,
        account_id,
        account_name,
        top_account_id,
        reporting_currency
    from {{ ref('dim_accounts') }}
),

-- The latest month of each customer.
revenue as (
    select
        organization_id,
        account_id,
        mrr_amount,
        subscriptions_without_rate
    from {{ ref('fct_revenue') }}
    qualify row_number() over (partition by organization_id, account_id order by month desc) = 1
),

tickets as (
    select
        account_key,
        {{ count_known('is_open') }} as open_ticket_count
    from {{ ref('fct_tickets') }}
    where created_at < {{ as_of() }} and account_key is not null
    group by account_key
),

usage_days as (
    select
        account_key,
        sum(event_count) as recent_event_count
    from {{ ref('fct_usage') }}
    where
        usage_date >= date_sub({{ as_of_date() }}, interval {{ var('recent_days') }} day)
        and account_key is not null
    group by account_key
),

final as (
    select
        identities.account_key as account_identity_key,
        identities.organization_id,
        identities.account_id,
        identities.account_name,
        identities.source_system,
        identities.identity_status,
        identities.rule,
        identities.confidence,
        identities.candidate_count,
        identities.candidate_account_ids,
        identities.matched_account_id,
        matched.account_name as matched_account_name,
        accounts.top_account_id,
        accounts.reporting_currency,
        if(revenue.subscriptions_without_rate = 0, revenue.mrr_amount, null) as customer_mrr_amount,
        {{ zero_without_rows('recorded.has_tickets', 'tickets.account_key', 'tickets.open_ticket_count') }} as open_ticket_count,
        {{ zero_without_rows('recorded.has_usage', 'usage_days.account_key', 'usage_days.recent_event_count') }}
            as recent_event_count,
        identities.decided_by,
        identities.decided_at
    from identities
    inner join accounts
        on accounts.organization_id = identities.organization_id
        and accounts.account_id = identities.account_id
    left join recorded
        on recorded.organization_id = identities.organization_id
    left join accounts as matched
        on matched.organization_id = identities.organization_id
        and matched.account_id = identities.matched_account_id
    left join revenue
        on revenue.organization_id = identities.organization_id
        and revenue.account_id = accounts.top_account_id
    left join tickets
        on tickets.account_key = identities.account_key
    left join usage_days
        on usage_days.account_key = identities.account_key
)

select *
from final
