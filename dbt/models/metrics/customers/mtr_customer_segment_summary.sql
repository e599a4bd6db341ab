{{ config(cluster_by=['organization_id', 'segment', 'month']) }}
{#- As NUMERIC, since the percentile of an amount by a FLOAT64 share would be FLOAT64 and not the contract's NUMERIC. -#}
{%- set percentiles = {'median': "numeric '0.5'", 'p75': "numeric '0.75'", 'p95': "numeric '0.95'"} -%}
{%- set lacks_a_charge =
    '(tax_amount_reporting is null or shipping_amount_reporting is null or total_amount_reporting is null)' -%}
{%- set grain = ['organization_id', 'segment', 'month'] -%}
with

organizations as (
    select
        organization_id,
        reporting_currency
    from {{ ref('dim_organizations') }}
),

recorded as (
    select
        organization_id,
        has_subscriptions,
        has_orders
    from {{ ref('int_organizations__recorded') }}
),

accounts as (
    select
        account_key,
        top_account_key,
        segment
    from {{ ref('dim_accounts') }}
),

-- A child account is in the segment of its top account, so that all revenue of a customer is in one row.
account_segments as (
    select
        accounts.account_key,
        tops.segment
    from accounts
    inner join accounts as tops
        on tops.account_key = accounts.top_account_key
),

recurring as (
    select
        revenue.organization_id,
        coalesce(account_segments.segment, 'unknown') as segment,
        revenue.month,
        revenue.mrr_amount,
        if(revenue.subscription_count > revenue.subscriptions_without_rate, revenue.mrr_amount, null) as known_mrr,
        revenue.subscription_count,
        revenue.subscriptions_without_rate,
        revenue.movement
    from {{ ref('fct_revenue') }} as revenue
    left join account_segments
        on account_segments.account_key = revenue.account_key
),

recurring_with_percentiles as (
    select
        {%- for name, share in percentiles.items() %}
        percentile_cont(known_mrr, {{ share }}) over (partition by {{ grain | join(', ') }}) as {{ name }}_mrr,
        {%- endfor %}
        {{ grain | join(',\n        ') }},
        mrr_amount,
        known_mrr,
        subscription_count,
        subscriptions_without_rate,
        movement
    from recurring
),

recurring_sums as (
    select
        {{ grain | join(',\n        ') }},
        {%- for name in percentiles %}
        any_value({{ name }}_mrr) as {{ name }}_mrr_per_customer,
        {%- endfor %}
        countif(subscription_count > 0) as paying_customer_count,
        countif(subscription_count > 0 and known_mrr is null) as customers_without_rate,
        countif(movement = 'new') as new_customer_count,
        countif(movement = 'reactivation') as returned_customer_count,
        countif(movement = 'churn') as churned_customer_count,
        sum(mrr_amount) as mrr_amount,
        sum(subscriptions_without_rate) as subscriptions_without_rate
    from recurring_with_percentiles
    group by {{ grain | join(', ') }}
),

orders as (
    select
        orders.organization_id,
        coalesce(account_segments.segment, 'unknown') as segment,
        {{ first_day_of('month', 'orders.ordered_date') }} as month,
        orders.account_id,
        orders.is_revenue,
        orders.is_revenue and orders.has_rate as is_counted,
        if(orders.is_revenue, orders.revenue_amount, null) as revenue_amount,
        orders.tax_amount_reporting,
        orders.shipping_amount_reporting,
        orders.total_amount_reporting
    from {{ ref('fct_orders') }} as orders
    left join account_segments
        on account_segments.account_key = orders.account_key
    where orders.ordered_at < {{ as_of() }}
),

orders_with_percentiles as (
    select
        {%- for name, share in percentiles.items() %}
        percentile_cont(revenue_amount, {{ share }}) over (partition by {{ grain | join(', ') }}) as {{ name }}_value,
        {%- endfor %}
        {{ grain | join(',\n        ') }},
        is_revenue,
        is_counted,
        revenue_amount,
        tax_amount_reporting,
        shipping_amount_reporting,
        total_amount_reporting
    from orders
),

order_sums as (
    select
        {{ grain | join(',\n        ') }},
        {%- for name in percentiles %}
        any_value({{ name }}_value) as {{ name }}_order_value,
        {%- endfor %}
        {{ sum_known('is_revenue', 'revenue_amount') }} as order_revenue,
        {{ sum_known('is_revenue', 'if(is_counted, tax_amount_reporting, null)') }} as order_tax_amount,
        {{ sum_known('is_revenue', 'if(is_counted, shipping_amount_reporting, null)') }} as order_shipping_amount,
        {{ sum_known('is_revenue', 'if(is_counted, total_amount_reporting, null)') }} as order_charged_amount,
        {{ sum_known('is_revenue', 'cast(is_counted and ' ~ lacks_a_charge ~ ' as int64)') }} as orders_without_charges,
        {{ sum_known('is_revenue', 'cast(is_counted as int64)') }} as order_count,
        {{ sum_known('is_revenue', 'cast(not is_counted as int64)') }} as orders_without_rate
    from orders_with_percentiles
    group by {{ grain | join(', ') }}
),

customers as (
    select
        {{ grain | join(',\n        ') }},
        account_id,
        sum(revenue_amount) as revenue
    from orders
    where is_counted and account_id is not null
    group by {{ grain | join(', ') }}, account_id
),

customers_with_percentiles as (
    select
        {%- for name, share in percentiles.items() %}
        percentile_cont(revenue, {{ share }}) over (partition by {{ grain | join(', ') }}) as {{ name }}_revenue,
        {%- endfor %}
        {{ grain | join(',\n        ') }}
    from customers
),

customer_sums as (
    select
        {{ grain | join(',\n        ') }},
        {%- for name in percentiles %}
        any_value({{ name }}_revenue) as {{ name }}_revenue_per_customer,
        {%- endfor %}
        count(*) as ordering_customer_count
    from customers_with_percentiles
    group by {{ grain | join(', ') }}
),

-- Every segment with any order or MRR, in every month since the organization's first.
seen as (
    select
        organization_id,
        segment,
        month
    from recurring_sums
    union distinct
    select
        organization_id,
        segment,
        month
    from order_sums
),

histories as (
    select
        organization_id,
        min(month) as first_month
    from seen
    group by organization_id
),

segments as (
    select distinct
        organization_id,
        segment
    from seen
),

months as (
    select
        segments.organization_id,
        segments.segment,
        month
    from segments
    inner join histories
        on histories.organization_id = segments.organization_id
    cross join
        unnest(generate_date_array(histories.first_month, {{ last_day_seen() }}, interval 1 month)) as month
),

by_month as (
    select
        months.organization_id,
        months.segment,
        months.month,
        {%- for name in percentiles %}
        recurring_sums.{{ name }}_mrr_per_customer,
        order_sums.{{ name }}_order_value,
        customer_sums.{{ name }}_revenue_per_customer,
        {%- endfor %}
        {{ zero_without_rows('recorded.has_subscriptions', 'recurring_sums.month', 'recurring_sums.paying_customer_count') }}
            as paying_customer_count,
        {{ zero_without_rows('recorded.has_subscriptions', 'recurring_sums.month', 'recurring_sums.customers_without_rate') }}
            as customers_without_rate,
        {{ zero_without_rows('recorded.has_subscriptions', 'recurring_sums.month', 'recurring_sums.new_customer_count') }}
            as new_customer_count,
        {{ zero_without_rows('recorded.has_subscriptions', 'recurring_sums.month', 'recurring_sums.returned_customer_count') }}
            as returned_customer_count,
        {{ zero_without_rows('recorded.has_subscriptions', 'recurring_sums.month', 'recurring_sums.churned_customer_count') }}
            as churned_customer_count,
        {{ zero_without_rows('recorded.has_subscriptions', 'recurring_sums.month', 'recurring_sums.mrr_amount') }}
            as mrr_amount,
        {{ zero_without_rows('recorded.has_subscriptions', 'recurring_sums.month', 'recurring_sums.subscriptions_without_rate') }}
            as subscriptions_without_rate,
        {{ zero_without_rows('recorded.has_orders', 'order_sums.month', 'order_sums.order_revenue') }} as order_revenue,
        {{ zero_without_rows('recorded.has_orders', 'order_sums.month', 'order_sums.order_tax_amount') }} as order_tax_amount,
        {{ zero_without_rows('recorded.has_orders', 'order_sums.month', 'order_sums.order_shipping_amount') }}
            as order_shipping_amount,
        {{ zero_without_rows('recorded.has_orders', 'order_sums.month', 'order_sums.order_charged_amount') }}
            as order_charged_amount,
        {{ zero_without_rows('recorded.has_orders', 'order_sums.month', 'order_sums.orders_without_charges') }}
            as orders_without_charges,
        {{ zero_without_rows('recorded.has_orders', 'order_sums.month', 'order_sums.order_count') }} as order_count,
        {{ zero_without_rows('recorded.has_orders', 'order_sums.month', 'order_sums.orders_without_rate') }}
            as orders_without_rate,
        case
            when order_sums.month is not null and order_sums.order_count is null then null
            else {{ zero_without_rows('recorded.has_orders', 'customer_sums.month', 'customer_sums.ordering_customer_count') }}
        end as ordering_customer_count
    from months
    left join recorded
        on recorded.organization_id = months.organization_id
    {% for part in ['recurring_sums', 'order_sums', 'customer_sums'] -%}
    left join {{ part }}
        on {{ part }}.organization_id = months.organization_id
        and {{ part }}.segment = months.segment
        and {{ part }}.month = months.month
    {% endfor -%}
),

final as (
    select
        {{ generate_surrogate_key(['by_month.organization_id', 'by_month.segment', 'by_month.month']) }} as segment_month_key,
        by_month.organization_id,
        by_month.segment,
        by_month.month,
        {{ month_is_complete('by_month.month') }} as is_complete,
        organizations.reporting_currency,
        by_month.paying_customer_count,
        by_month.customers_without_rate,
        by_month.new_customer_count,
        by_month.returned_customer_count,
        by_month.churned_customer_count,
        by_month.mrr_amount,
        by_month.mrr_amount * 12 as arr_amount,
        by_month.subscriptions_without_rate,
        100 * cast(by_month.mrr_amount as float64) / nullif(cast(sum(by_month.mrr_amount) over in_month as float64), 0)
            as mrr_share_pct,
        by_month.mrr_amount / nullif(by_month.paying_customer_count - by_month.customers_without_rate, 0)
            as average_mrr_per_customer,
        by_month.median_mrr_per_customer,
        by_month.p75_mrr_per_customer,
        by_month.p95_mrr_per_customer,
        by_month.ordering_customer_count,
        by_month.order_revenue,
        by_month.order_tax_amount,
        by_month.order_shipping_amount,
        by_month.order_charged_amount,
        by_month.orders_without_charges,
        by_month.order_count,
        by_month.orders_without_rate,
        100 * cast(by_month.order_revenue as float64)
        / nullif(cast(sum(by_month.order_revenue) over in_month as float64), 0) as order_revenue_share_pct,
        by_month.order_revenue / nullif(by_month.order_count, 0) as average_order_value,
        by_month.median_order_value,
        by_month.p75_order_value,
        by_month.p95_order_value,
        by_month.order_revenue / nullif(by_month.ordering_customer_count, 0) as average_revenue_per_customer,
        by_month.median_revenue_per_customer,
        by_month.p75_revenue_per_customer,
        by_month.p95_revenue_per_customer
    from by_month
    left join organizations
        on organizations.organization_id = by_month.organization_id
    window in_month as (partition by by_month.organization_id, by_month.month)
)

select *
from final
