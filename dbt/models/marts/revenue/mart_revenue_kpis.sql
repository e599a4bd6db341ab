{{
    config(
        partition_by={'field': 'month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'facility_id']
    )
}}
{%- set grain = ['organization_id', 'facility_id', 'month'] -%}
with

organizations as (
    select
        organization_id,
        reporting_currency
    from {{ ref('dim_organizations') }}
),

facilities as (
    select
        organization_id,
        facility_id,
        facility_name
    from {{ ref('dim_facilities') }}
),

-- The organizations that have such rows at all.
with_invoices as (
    select distinct organization_id
    from {{ ref('fct_invoices') }}
),

with_orders as (
    select distinct organization_id
    from {{ ref('fct_orders') }}
),

-- Invoices and orders name no facility. The facility is that of the user who owns the account.
account_facilities as (
    select
        accounts.organization_id,
        accounts.account_id,
        facilities.facility_id
    from {{ ref('dim_accounts') }} as accounts
    inner join {{ ref('dim_users') }} as users
        on users.organization_id = accounts.organization_id
        and users.user_id = accounts.owner_user_id
    inner join facilities
        on facilities.organization_id = users.organization_id
        and facilities.facility_id = users.facility_id
),

invoices as (
    select
        invoices.organization_id,
        coalesce(account_facilities.facility_id, 'unknown') as facility_id,
        invoices.invoice_month as month,
        invoices.is_revenue,
        invoices.has_rate,
        if(invoices.is_revenue, invoices.has_rate, invoices.is_revenue) as is_counted,
        invoices.is_paid,
        invoices.is_overdue,
        invoices.total_amount_reporting,
        invoices.subtotal_amount_reporting,
        invoices.amount_paid_reporting
    from {{ ref('fct_invoices') }} as invoices
    left join account_facilities
        on account_facilities.organization_id = invoices.organization_id
        and account_facilities.account_id = invoices.account_id
    where coalesce(invoices.is_revenue, true) and invoices.issued_at < {{ as_of() }}
),

orders as (
    select
        orders.organization_id,
        coalesce(account_facilities.facility_id, 'unknown') as facility_id,
        {{ first_day_of('month', 'orders.ordered_date') }} as month,
        orders.account_id,
        orders.is_revenue,
        orders.has_rate,
        if(orders.is_revenue, orders.has_rate, orders.is_revenue) as is_counted,
        orders.revenue_amount,
        orders.tax_amount_reporting,
        orders.shipping_amount_reporting,
        orders.total_amount_reporting
    from {{ ref('fct_orders') }} as orders
    left join account_facilities
        on account_facilities.organization_id = orders.organization_id
        and account_facilities.account_id = orders.account_id
    where coalesce(orders.is_revenue, true) and orders.ordered_at < {{ as_of() }}
),

invoices_by_month as (
    select
        {{ grain | join(',\n        ') }},
        {{ count_known('is_counted') }} as invoice_count,
        {{ count_known('if(is_counted, is_paid, is_counted)') }} as paid_invoice_count,
        {{ count_known('if(is_counted, is_overdue, is_counted)') }} as overdue_invoice_count,
        countif(is_revenue and not has_rate) as invoices_without_rate,
        countif(is_revenue is null) as invoices_without_status,
        sum(if(is_counted, total_amount_reporting, null)) as invoiced_amount,
        sum(if(is_counted, subtotal_amount_reporting, null)) as invoiced_net_amount,
        sum(if(is_counted, amount_paid_reporting, null)) as paid_amount,
        sum(if(is_counted, total_amount_reporting - amount_paid_reporting, null)) as outstanding_amount
    from invoices
    group by {{ grain | join(', ') }}
),

orders_by_month as (
    select
        {{ grain | join(',\n        ') }},
        {{ count_known('is_counted') }} as order_count,
        countif(is_revenue and not has_rate) as orders_without_rate,
        countif(is_revenue is null) as orders_without_status,
        {{ count_distinct_known('is_counted', 'account_id') }} as customer_count,
        sum(revenue_amount) as order_revenue,
        sum(if(is_counted, tax_amount_reporting, null)) as order_tax_amount,
        sum(if(is_counted, shipping_amount_reporting, null)) as order_shipping_amount,
        sum(if(is_counted, total_amount_reporting, null)) as order_charged_amount,
        {{ count_orders_without_charges('is_counted') }} as orders_without_charges
    from orders
    group by {{ grain | join(', ') }}
),

months as (
    select {{ grain | join(', ') }}
    from invoices_by_month
    union distinct
    select {{ grain | join(', ') }}
    from orders_by_month
),

{% set has_invoices = 'with_invoices.organization_id is not null' -%}
{% set has_orders = 'with_orders.organization_id is not null' -%}
counted as (
    select
        months.organization_id,
        months.facility_id,
        {%- for column in [
            'invoice_count', 'paid_invoice_count', 'overdue_invoice_count', 'invoices_without_rate', 'invoices_without_status',
            'invoiced_amount', 'invoiced_net_amount', 'paid_amount', 'outstanding_amount'
        ] %}
        {{ zero_without_rows(has_invoices, 'invoices_by_month.organization_id', 'invoices_by_month.' ~ column) }}
            as {{ column }},
        {%- endfor %}
        {%- for column in [
            'order_count', 'orders_without_rate', 'orders_without_status', 'customer_count', 'order_revenue', 'order_tax_amount',
            'order_shipping_amount', 'order_charged_amount', 'orders_without_charges'
        ] %}
        {{ zero_without_rows(has_orders, 'orders_by_month.organization_id', 'orders_by_month.' ~ column) }}
            as {{ column }},
        {%- endfor %}
        months.month
    from months
    left join with_invoices
        on with_invoices.organization_id = months.organization_id
    left join with_orders
        on with_orders.organization_id = months.organization_id
    left join invoices_by_month
        on invoices_by_month.organization_id = months.organization_id
        and invoices_by_month.facility_id = months.facility_id
        and invoices_by_month.month = months.month
    left join orders_by_month
        on orders_by_month.organization_id = months.organization_id
        and orders_by_month.facility_id = months.facility_id
        and orders_by_month.month = months.month
),

final as (
    select
        {{ generate_surrogate_key(['counted.organization_id', 'counted.facility_id', 'counted.month']) }} as revenue_kpi_key,
        counted.organization_id,
        counted.facility_id,
        coalesce(facilities.facility_name, 'Unknown') as facility_name,
        counted.month,
        {{ month_is_complete('counted.month') }} as is_complete,
        organizations.reporting_currency,
        counted.invoice_count,
        counted.invoiced_amount,
        counted.invoiced_net_amount,
        counted.paid_amount,
        counted.outstanding_amount,
        -- The amounts of the invoices of which both the total and the payment are known.
        100 * cast(counted.paid_amount as float64)
        / nullif(cast(counted.paid_amount + counted.outstanding_amount as float64), 0) as collection_rate_pct,
        counted.paid_invoice_count,
        counted.overdue_invoice_count,
        counted.invoices_without_rate,
        counted.invoices_without_status,
        counted.order_count,
        counted.order_revenue,
        counted.order_tax_amount,
        counted.order_shipping_amount,
        counted.order_charged_amount,
        counted.orders_without_charges,
        counted.orders_without_rate,
        counted.orders_without_status,
        counted.customer_count,
        counted.order_revenue / nullif(counted.order_count, 0) as average_order_value,
        counted.order_revenue / nullif(counted.customer_count, 0) as average_revenue_per_customer
    from counted
    left join organizations
        on organizations.organization_id = counted.organization_id
    left join facilities
        on facilities.organization_id = counted.organization_id
        and facilities.facility_id = counted.facility_id
)

select *
from final
