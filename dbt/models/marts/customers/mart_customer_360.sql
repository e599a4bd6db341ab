{{ config(cluster_by=['organization_id', 'account_id']) }}
{%- set recent_from = 'timestamp_sub(' ~ as_of() ~ ', interval ' ~ var('recent_days') ~ ' day)' -%}
{%- set earlier_from = 'timestamp_sub(' ~ as_of() ~ ', interval ' ~ 2 * var('recent_days') ~ ' day)' -%}
with

accounts as (
    select
        account_key,
        organization_id,
        account_id,
        account_name,
        account_category,
        segment,
        plan_tier,
        revenue_band,
        industry,
        region,
        country,
        owner_user_id,
        owner_name,
        top_account_id,
        is_top_account,
        signup_date,
        reporting_currency
    from {{ ref('dim_accounts') }}
),

contacts as (
    select
        account_key,
        count(*) as contact_count
    from {{ ref('dim_contacts') }}
    group by account_key
),

primary_contacts as (
    select
        account_key,
        contact_id as primary_contact_id,
        full_name as primary_contact_name,
        title as primary_contact_title
    from {{ ref('dim_contacts') }}
    where is_primary
    qualify row_number() over (partition by account_key order by contact_id) = 1
),

deals as (
    select
        account_key,
        count(*) as deal_count,
        countif(is_open) as open_deal_count,
        sum(if(is_open, coalesce(amount_reporting, 0), 0)) as open_deal_amount,
        sum(if(is_open, coalesce(weighted_amount, 0), 0)) as weighted_open_deal_amount,
        countif(is_won) as won_deal_count,
        sum(if(is_won, coalesce(amount_reporting, 0), 0)) as won_deal_amount,
        countif(is_lost) as lost_deal_count,
        countif(stage = 'unknown') as unknown_stage_deal_count,
        countif(not has_rate) as deals_without_rate,
        100 * countif(is_won) / nullif(countif(is_won) + countif(is_lost), 0) as deal_win_rate_pct
    from {{ ref('fct_deals') }}
    where created_at < {{ as_of() }}
    group by account_key
),

activities as (
    select
        account_key,
        count(*) as activity_count,
        countif(created_at >= {{ recent_from }}) as recent_activity_count,
        countif(completed_at < {{ as_of() }}) as completed_activity_count,
        countif(is_overdue) as overdue_activity_count,
        max(if(completed_at < {{ as_of() }}, completed_at, null)) as last_activity_at
    from {{ ref('fct_activities') }}
    where created_at < {{ as_of() }}
    group by account_key
),

orders as (
    select
        account_key,
        countif(has_rate) as order_count,
        countif(has_rate and ordered_at >= {{ recent_from }}) as recent_order_count,
        sum(coalesce(revenue_amount, 0)) as order_revenue,
        sum(if(has_rate, coalesce(tax_amount_reporting, 0), 0)) as order_tax_amount,
        sum(if(has_rate, coalesce(shipping_amount_reporting, 0), 0)) as order_shipping_amount,
        sum(if(has_rate, coalesce(total_amount_reporting, 0), 0)) as order_charged_amount,
        {{ count_orders_without_charges('has_rate') }} as orders_without_charges,
        countif(not has_rate) as orders_without_rate,
        sum(coalesce(revenue_amount, 0)) / nullif(countif(has_rate), 0) as average_order_value,
        min(ordered_at) as first_ordered_at,
        max(ordered_at) as last_ordered_at,
        date_diff({{ last_day_seen() }}, date(max(ordered_at)), day) as days_since_last_order
    from {{ ref('fct_orders') }}
    where is_revenue and ordered_at < {{ as_of() }}
    group by account_key
),

invoices as (
    select
        account_key,
        countif(has_rate) as invoice_count,
        sum(coalesce(total_amount_reporting, 0)) as invoiced_amount,
        sum(coalesce(amount_paid_reporting, 0)) as paid_amount,
        sum(coalesce(total_amount_reporting - coalesce(amount_paid_reporting, 0), 0)) as outstanding_amount,
        countif(is_overdue) as overdue_invoice_count,
        countif(not has_rate) as invoices_without_rate
    from {{ ref('fct_invoices') }}
    where is_revenue and issued_at < {{ as_of() }}
    group by account_key
),

tickets as (
    select
        account_key,
        count(*) as ticket_count,
        countif(is_open) as open_ticket_count,
        countif(is_merged) as merged_ticket_count,
        countif(not is_open and not is_resolved) as unknown_status_ticket_count,
        countif(created_at >= {{ recent_from }}) as recent_ticket_count,
        countif(created_at >= {{ earlier_from }} and created_at < {{ recent_from }}) as earlier_ticket_count,
        countif(created_at >= {{ recent_from }} and 'breached' in (response_state, resolution_state))
            as recent_breached_ticket_count,
        sum(if(csat_tier is not null, csat_score, null)) / nullif(countif(csat_tier is not null), 0) as mean_csat_score,
        max(created_at) as last_ticket_at
    from {{ ref('fct_tickets') }}
    where created_at < {{ as_of() }}
    group by account_key
),

surveys as (
    select
        account_key,
        score as last_nps_score,
        score_class as last_nps_class,
        responded_at as last_nps_at
    from {{ ref('fct_survey_responses') }}
    where survey_type = 'nps' and score_class is not null
    qualify row_number() over (partition by account_key order by responded_at desc, response_id desc) = 1
),

final as (
    select
        accounts.account_key,
        accounts.organization_id,
        accounts.account_id,
        accounts.account_name,
        accounts.account_category,
        accounts.segment,
        accounts.plan_tier,
        accounts.revenue_band,
        accounts.industry,
        accounts.region,
        accounts.country,
        accounts.owner_user_id,
        accounts.owner_name,
        accounts.top_account_id,
        accounts.is_top_account,
        accounts.signup_date,
        coalesce(contacts.contact_count, 0) as contact_count,
        primary_contacts.primary_contact_id,
        primary_contacts.primary_contact_name,
        primary_contacts.primary_contact_title,
        coalesce(deals.deal_count, 0) as deal_count,
        coalesce(deals.open_deal_count, 0) as open_deal_count,
        coalesce(deals.open_deal_amount, 0) as open_deal_amount,
        coalesce(deals.weighted_open_deal_amount, 0) as weighted_open_deal_amount,
        coalesce(deals.won_deal_count, 0) as won_deal_count,
        coalesce(deals.won_deal_amount, 0) as won_deal_amount,
        coalesce(deals.lost_deal_count, 0) as lost_deal_count,
        coalesce(deals.unknown_stage_deal_count, 0) as unknown_stage_deal_count,
        coalesce(deals.deals_without_rate, 0) as deals_without_rate,
        deals.deal_win_rate_pct,
        coalesce(activities.activity_count, 0) as activity_count,
        coalesce(activities.recent_activity_count, 0) as recent_activity_count,
        coalesce(activities.completed_activity_count, 0) as completed_activity_count,
        coalesce(activities.overdue_activity_count, 0) as overdue_activity_count,
        activities.last_activity_at,
        coalesce(orders.order_count, 0) as order_count,
        coalesce(orders.recent_order_count, 0) as recent_order_count,
        coalesce(orders.order_revenue, 0) as order_revenue,
        coalesce(orders.order_tax_amount, 0) as order_tax_amount,
        coalesce(orders.order_shipping_amount, 0) as order_shipping_amount,
        coalesce(orders.order_charged_amount, 0) as order_charged_amount,
        coalesce(orders.orders_without_charges, 0) as orders_without_charges,
        coalesce(orders.orders_without_rate, 0) as orders_without_rate,
        orders.average_order_value,
        orders.first_ordered_at,
        orders.last_ordered_at,
        orders.days_since_last_order,
        coalesce(invoices.invoice_count, 0) as invoice_count,
        coalesce(invoices.invoiced_amount, 0) as invoiced_amount,
        coalesce(invoices.paid_amount, 0) as paid_amount,
        coalesce(invoices.outstanding_amount, 0) as outstanding_amount,
        coalesce(invoices.overdue_invoice_count, 0) as overdue_invoice_count,
        coalesce(invoices.invoices_without_rate, 0) as invoices_without_rate,
        coalesce(tickets.ticket_count, 0) as ticket_count,
        coalesce(tickets.open_ticket_count, 0) as open_ticket_count,
        coalesce(tickets.merged_ticket_count, 0) as merged_ticket_count,
        coalesce(tickets.unknown_status_ticket_count, 0) as unknown_status_ticket_count,
        coalesce(tickets.recent_ticket_count, 0) as recent_ticket_count,
        coalesce(tickets.earlier_ticket_count, 0) as earlier_ticket_count,
        coalesce(tickets.recent_breached_ticket_count, 0) as recent_breached_ticket_count,
        tickets.mean_csat_score,
        tickets.last_ticket_at,
        surveys.last_nps_score,
        surveys.last_nps_class,
        surveys.last_nps_at,
        accounts.reporting_currency
    from accounts
    left join contacts
        on contacts.account_key = accounts.account_key
    left join primary_contacts
        on primary_contacts.account_key = accounts.account_key
    left join deals
        on deals.account_key = accounts.account_key
    left join activities
        on activities.account_key = accounts.account_key
    left join orders
        on orders.account_key = accounts.account_key
    left join invoices
        on invoices.account_key = accounts.account_key
    left join tickets
        on tickets.account_key = accounts.account_key
    left join surveys
        on surveys.account_key = accounts.account_key
)

select *
from final
