{{ config(cluster_by=['organization_id', 'account_id']) }}
{%- set recent_from = 'timestamp_sub(' ~ as_of() ~ ', interval ' ~ var('recent_days') ~ ' day)' -%}
{%- set lacks_a_charge =
    '(tax_amount_reporting is null or shipping_amount_reporting is null or total_amount_reporting is null)' -%}
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

recorded as (
    select
        organization_id,
        has_contacts,
        has_deals,
        has_activities,
        has_orders,
        has_invoices,
        has_tickets
    from {{ ref('int_organizations__recorded') }}
),

contacts as (
    select
        account_key,
        count(*) as contact_count
    from {{ ref('dim_contacts') }}
    where account_key is not null
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
        {{ count_known('is_open') }} as open_deal_count,
        {{ sum_known('is_open', 'amount_reporting') }} as open_deal_amount,
        {{ sum_known('is_open', 'weighted_amount') }} as weighted_open_deal_amount,
        {{ count_known('is_won') }} as won_deal_count,
        {{ sum_known('is_won', 'amount_reporting') }} as won_deal_amount,
        {{ count_known('is_lost') }} as lost_deal_count,
        countif(stage = 'unknown') as unknown_stage_deal_count,
        countif(not has_rate) as deals_without_rate,
        100 * countif(is_won) / nullif(countif(is_won) + countif(is_lost), 0) as deal_win_rate_pct
    from {{ ref('fct_deals') }}
    where created_at < {{ as_of() }} and account_key is not null
    group by account_key
),

activities as (
    select
        account_key,
        count(*) as activity_count,
        countif(created_at >= {{ recent_from }}) as recent_activity_count,
        {{ sum_known('is_completed or completed_at is not null', 'cast(completed_at < ' ~ as_of() ~ ' as int64)') }}
            as completed_activity_count,
        {{ sum_known("status = 'planned'", 'cast(is_overdue as int64)') }} as overdue_activity_count,
        max(if(completed_at < {{ as_of() }}, completed_at, null)) as last_activity_at
    from {{ ref('fct_activities') }}
    where created_at < {{ as_of() }} and account_key is not null
    group by account_key
),

orders as (
    select
        account_key,
        {{ sum_known('is_revenue', 'cast(has_rate as int64)') }} as order_count,
        {{ sum_known('is_revenue', 'cast(has_rate and ordered_at >= ' ~ recent_from ~ ' as int64)') }} as recent_order_count,
        {{ sum_known('is_revenue', 'revenue_amount') }} as order_revenue,
        {{ sum_known('is_revenue', 'if(has_rate, tax_amount_reporting, null)') }} as order_tax_amount,
        {{ sum_known('is_revenue', 'if(has_rate, shipping_amount_reporting, null)') }} as order_shipping_amount,
        {{ sum_known('is_revenue', 'if(has_rate, total_amount_reporting, null)') }} as order_charged_amount,
        {{ sum_known('is_revenue', 'cast(has_rate and ' ~ lacks_a_charge ~ ' as int64)') }} as orders_without_charges,
        {{ sum_known('is_revenue', 'cast(not has_rate as int64)') }} as orders_without_rate,
        sum(if(is_revenue, revenue_amount, null)) / nullif(countif(is_revenue and has_rate), 0) as average_order_value,
        min(if(is_revenue, ordered_at, null)) as first_ordered_at,
        max(if(is_revenue, ordered_at, null)) as last_ordered_at,
        date_diff({{ last_day_seen() }}, date(max(if(is_revenue, ordered_at, null))), day) as days_since_last_order
    from {{ ref('fct_orders') }}
    where ordered_at < {{ as_of() }} and account_key is not null
    group by account_key
),

invoices as (
    select
        account_key,
        {{ sum_known('is_revenue', 'cast(has_rate as int64)') }} as invoice_count,
        {{ sum_known('is_revenue', 'total_amount_reporting') }} as invoiced_amount,
        {{ sum_known('is_revenue', 'if(has_rate, amount_paid_reporting, null)') }} as paid_amount,
        {{ sum_known('is_revenue', 'total_amount_reporting - amount_paid_reporting') }} as outstanding_amount,
        {{ sum_known('is_revenue', 'cast(is_overdue as int64)') }} as overdue_invoice_count,
        {{ sum_known('is_revenue', 'cast(not has_rate as int64)') }} as invoices_without_rate
    from {{ ref('fct_invoices') }}
    where issued_at < {{ as_of() }} and account_key is not null
    group by account_key
),

known_tickets as (
    select
        account_key,
        created_at,
        is_merged,
        is_open,
        case
            when 'breached' in (response_state, resolution_state) then true
            when response_state != 'unknown' or resolution_state != 'unknown' then false
        end as is_breached,
        if(csat_tier is not null, csat_score, null) as csat_score
    from {{ ref('fct_tickets') }}
    where created_at < {{ as_of() }} and account_key is not null
),

tickets as (
    select
        account_key,
        count(*) as ticket_count,
        {{ count_known('is_open') }} as open_ticket_count,
        countif(is_merged) as merged_ticket_count,
        countif(is_open is null) as unknown_status_ticket_count,
        countif(created_at >= {{ recent_from }}) as recent_ticket_count,
        countif(created_at >= {{ earlier_from }} and created_at < {{ recent_from }}) as earlier_ticket_count,
        {{ sum_known('created_at >= ' ~ recent_from, 'cast(is_breached as int64)') }} as recent_breached_ticket_count,
        sum(csat_score) / nullif(count(csat_score), 0) as mean_csat_score,
        max(created_at) as last_ticket_at
    from known_tickets
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
        {{ zero_without_rows('recorded.has_contacts', 'contacts.account_key', 'contacts.contact_count') }} as contact_count,
        primary_contacts.primary_contact_id,
        primary_contacts.primary_contact_name,
        primary_contacts.primary_contact_title,
        {{ zero_without_rows('recorded.has_deals', 'deals.account_key', 'deals.deal_count') }} as deal_count,
        {{ zero_without_rows('recorded.has_deals', 'deals.account_key', 'deals.open_deal_count') }} as open_deal_count,
        {{ zero_without_rows('recorded.has_deals', 'deals.account_key', 'deals.open_deal_amount') }} as open_deal_amount,
        {{ zero_without_rows('recorded.has_deals', 'deals.account_key', 'deals.weighted_open_deal_amount') }}
            as weighted_open_deal_amount,
        {{ zero_without_rows('recorded.has_deals', 'deals.account_key', 'deals.won_deal_count') }} as won_deal_count,
        {{ zero_without_rows('recorded.has_deals', 'deals.account_key', 'deals.won_deal_amount') }} as won_deal_amount,
        {{ zero_without_rows('recorded.has_deals', 'deals.account_key', 'deals.lost_deal_count') }} as lost_deal_count,
        {{ zero_without_rows('recorded.has_deals', 'deals.account_key', 'deals.unknown_stage_deal_count') }}
            as unknown_stage_deal_count,
        {{ zero_without_rows('recorded.has_deals', 'deals.account_key', 'deals.deals_without_rate') }} as deals_without_rate,
        deals.deal_win_rate_pct,
        {{ zero_without_rows('recorded.has_activities', 'activities.account_key', 'activities.activity_count') }}
            as activity_count,
        {{ zero_without_rows('recorded.has_activities', 'activities.account_key', 'activities.recent_activity_count') }}
            as recent_activity_count,
        {{ zero_without_rows('recorded.has_activities', 'activities.account_key', 'activities.completed_activity_count') }}
            as completed_activity_count,
        {{ zero_without_rows('recorded.has_activities', 'activities.account_key', 'activities.overdue_activity_count') }}
            as overdue_activity_count,
        activities.last_activity_at,
        {{ zero_without_rows('recorded.has_orders', 'orders.account_key', 'orders.order_count') }} as order_count,
        {{ zero_without_rows('recorded.has_orders', 'orders.account_key', 'orders.recent_order_count') }} as recent_order_count,
        {{ zero_without_rows('recorded.has_orders', 'orders.account_key', 'orders.order_revenue') }} as order_revenue,
        {{ zero_without_rows('recorded.has_orders', 'orders.account_key', 'orders.order_tax_amount') }} as order_tax_amount,
        {{ zero_without_rows('recorded.has_orders', 'orders.account_key', 'orders.order_shipping_amount') }}
            as order_shipping_amount,
        {{ zero_without_rows('recorded.has_orders', 'orders.account_key', 'orders.order_charged_amount') }}
            as order_charged_amount,
        {{ zero_without_rows('recorded.has_orders', 'orders.account_key', 'orders.orders_without_charges') }}
            as orders_without_charges,
        {{ zero_without_rows('recorded.has_orders', 'orders.account_key', 'orders.orders_without_rate') }} as orders_without_rate,
        orders.average_order_value,
        orders.first_ordered_at,
        orders.last_ordered_at,
        orders.days_since_last_order,
        {{ zero_without_rows('recorded.has_invoices', 'invoices.account_key', 'invoices.invoice_count') }} as invoice_count,
        {{ zero_without_rows('recorded.has_invoices', 'invoices.account_key', 'invoices.invoiced_amount') }} as invoiced_amount,
        {{ zero_without_rows('recorded.has_invoices', 'invoices.account_key', 'invoices.paid_amount') }} as paid_amount,
        {{ zero_without_rows('recorded.has_invoices', 'invoices.account_key', 'invoices.outstanding_amount') }}
            as outstanding_amount,
        {{ zero_without_rows('recorded.has_invoices', 'invoices.account_key', 'invoices.overdue_invoice_count') }}
            as overdue_invoice_count,
        {{ zero_without_rows('recorded.has_invoices', 'invoices.account_key', 'invoices.invoices_without_rate') }}
            as invoices_without_rate,
        {{ zero_without_rows('recorded.has_tickets', 'tickets.account_key', 'tickets.ticket_count') }} as ticket_count,
        {{ zero_without_rows('recorded.has_tickets', 'tickets.account_key', 'tickets.open_ticket_count') }} as open_ticket_count,
        {{ zero_without_rows('recorded.has_tickets', 'tickets.account_key', 'tickets.merged_ticket_count') }}
            as merged_ticket_count,
        {{ zero_without_rows('recorded.has_tickets', 'tickets.account_key', 'tickets.unknown_status_ticket_count') }}
            as unknown_status_ticket_count,
        {{ zero_without_rows('recorded.has_tickets', 'tickets.account_key', 'tickets.recent_ticket_count') }}
            as recent_ticket_count,
        {{ zero_without_rows('recorded.has_tickets', 'tickets.account_key', 'tickets.earlier_ticket_count') }}
            as earlier_ticket_count,
        {{ zero_without_rows('recorded.has_tickets', 'tickets.account_key', 'tickets.recent_breached_ticket_count') }}
            as recent_breached_ticket_count,
        tickets.mean_csat_score,
        tickets.last_ticket_at,
        surveys.last_nps_score,
        surveys.last_nps_class,
        surveys.last_nps_at,
        accounts.reporting_currency
    from accounts
    left join recorded
        on recorded.organization_id = accounts.organization_id
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
