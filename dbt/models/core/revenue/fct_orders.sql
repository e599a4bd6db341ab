{{
    config(
        partition_by={'field': 'ordered_date', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'account_id']
    )
}}
{%- set net_amount = 'orders.subtotal_amount - coalesce(orders.discount_amount, 0)' -%}
{%- set is_revenue = 'if(converted.status is null, null, coalesce(order_statuses.is_revenue, true))' -%}
with

orders as (
    select *
    from {{ ref('conformed_orders') }}
),

organizations as (
    select
        organization_id,
        reporting_currency
    from {{ ref('dim_organizations') }}
),

accounts as (
    select
        organization_id,
        account_id,
        account_key
    from {{ ref('dim_accounts') }}
),

order_statuses as (
    select
        status,
        is_revenue,
        is_fulfilled
    from {{ ref('order_statuses') }}
),

rates as (
    select
        currency,
        rate_day,
        rate_to_usd
    from {{ ref('int_reference__fx_rates_daily') }}
),

converted as (
    select
        orders.organization_id,
        orders.order_id,
        orders.order_number,
        orders.account_id,
        orders.contact_id,
        orders.status,
        orders.currency,
        orders.subtotal_amount,
        orders.discount_amount,
        {{ net_amount }} as net_amount,
        orders.tax_amount,
        orders.shipping_amount,
        orders.total_amount,
        orders.ordered_at,
        orders.shipped_at,
        orders.delivered_at,
        orders.days_to_ship,
        orders.fulfilment_days,
        orders.updated_at,
        organizations.reporting_currency,
        {{ to_reporting_currency(
            '(' ~ net_amount ~ ')', 'orders.currency', 'organizations.reporting_currency',
            'own_rates.rate_to_usd', 'reporting_rates.rate_to_usd'
        ) }} as net_amount_reporting,
        {{ to_reporting_currency(
            'orders.tax_amount', 'orders.currency', 'organizations.reporting_currency',
            'own_rates.rate_to_usd', 'reporting_rates.rate_to_usd'
        ) }} as tax_amount_reporting,
        {{ to_reporting_currency(
            'orders.shipping_amount', 'orders.currency', 'organizations.reporting_currency',
            'own_rates.rate_to_usd', 'reporting_rates.rate_to_usd'
        ) }} as shipping_amount_reporting,
        {{ to_reporting_currency(
            'orders.total_amount', 'orders.currency', 'organizations.reporting_currency',
            'own_rates.rate_to_usd', 'reporting_rates.rate_to_usd'
        ) }} as total_amount_reporting
    from orders
    left join organizations
        on organizations.organization_id = orders.organization_id
    {{ join_fx_rate('rates', 'own_rates', 'orders.currency', 'date(orders.ordered_at)') }}
    {{ join_fx_rate('rates', 'reporting_rates', 'organizations.reporting_currency', 'date(orders.ordered_at)') }}
),

final as (
    select
        {{ generate_surrogate_key(['converted.organization_id', 'converted.order_id']) }} as order_key,
        converted.organization_id,
        converted.order_id,
        converted.order_number,
        accounts.account_key,
        converted.account_id,
        converted.contact_id,
        converted.status,
        {{ is_revenue }} as is_revenue,
        if(converted.status is null, null, coalesce(order_statuses.is_fulfilled, false)) as is_fulfilled,
        converted.currency,
        converted.reporting_currency,
        converted.subtotal_amount,
        converted.discount_amount,
        converted.net_amount,
        converted.tax_amount,
        converted.shipping_amount,
        converted.total_amount,
        converted.net_amount_reporting,
        converted.tax_amount_reporting,
        converted.shipping_amount_reporting,
        converted.total_amount_reporting,
        case
            when {{ is_revenue }} then converted.net_amount_reporting
            when not {{ is_revenue }} then 0
        end as revenue_amount,
        converted.net_amount_reporting is not null as has_rate,
        converted.ordered_at,
        date(converted.ordered_at) as ordered_date,
        converted.shipped_at,
        converted.delivered_at,
        converted.days_to_ship,
        converted.fulfilment_days as days_to_deliver,
        converted.updated_at
    from converted
    left join accounts
        on accounts.organization_id = converted.organization_id
        and accounts.account_id = converted.account_id
    left join order_statuses
        on order_statuses.status = converted.status
)

select *
from final
