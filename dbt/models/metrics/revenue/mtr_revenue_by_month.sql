{{ config(cluster_by=['organization_id', 'month']) }}
{#- As NUMERIC, since the percentile of an amount by a FLOAT64 share would be FLOAT64 and not the contract's NUMERIC. -#}
{%- set percentiles = {'median': "numeric '0.5'", 'p75': "numeric '0.75'", 'p95': "numeric '0.95'"} -%}
{%- set largest = 10 -%}
{%- set of_year = 'over (partition by months.organization_id, extract(year from months.month))' -%}
with

orders as (
    select
        organization_id,
        account_id,
        {{ first_day_of('month', 'ordered_date') }} as month,
        is_revenue,
        has_rate,
        if(is_revenue, has_rate, is_revenue) as is_counted,
        if(is_revenue, revenue_amount, null) as revenue_amount,
        tax_amount_reporting,
        shipping_amount_reporting,
        total_amount_reporting,
        reporting_currency
    from {{ ref('fct_orders') }}
    where ordered_at < {{ as_of() }}
),

-- A line without a product is in the base of the share, but is no product.
products as (
    select
        organization_id,
        month,
        if(product_id = 'unknown', null, product_id) as product_id,
        revenue_amount
    from {{ ref('mart_product_performance') }}
),

-- Months without a gap from the organization's first order on, so that a month without orders has a row.
histories as (
    select
        organization_id,
        any_value(reporting_currency) as reporting_currency,
        min(month) as first_month
    from orders
    group by organization_id
),

months as (
    select
        histories.organization_id,
        histories.reporting_currency,
        histories.first_month,
        month
    from histories
    cross join
        unnest(generate_date_array(histories.first_month, {{ last_day_seen() }}, interval 1 month)) as month
),

-- BigQuery has exact percentiles only as window functions. So every order carries the percentiles of its month.
with_percentiles as (
    select
        {%- for name, share in percentiles.items() %}
        percentile_cont(revenue_amount, {{ share }}) over (partition by organization_id, month) as {{ name }}_order_value,
        {%- endfor %}
        organization_id,
        account_id,
        month,
        is_revenue,
        has_rate,
        is_counted,
        revenue_amount,
        tax_amount_reporting,
        shipping_amount_reporting,
        total_amount_reporting
    from orders
),

customers as (
    select
        organization_id,
        month,
        account_id,
        sum(revenue_amount) as revenue
    from orders
    where is_counted and account_id is not null
    group by organization_id, month, account_id
),

customers_with_percentiles as (
    select
        {%- for name, share in percentiles.items() %}
        percentile_cont(revenue, {{ share }}) over (partition by organization_id, month) as {{ name }}_revenue,
        {%- endfor %}
        row_number() over (partition by organization_id, month order by revenue desc, account_id asc) as revenue_rank,
        organization_id,
        month,
        revenue
    from customers
),

customer_sums as (
    select
        organization_id,
        month,
        {%- for name in percentiles %}
        any_value({{ name }}_revenue) as {{ name }}_revenue_per_customer,
        {%- endfor %}
        sum(if(revenue_rank <= {{ largest }}, revenue, null)) as top_customer_revenue
    from customers_with_percentiles
    group by organization_id, month
),

products_ranked as (
    select
        organization_id,
        month,
        product_id,
        revenue_amount,
        row_number() over (
            partition by organization_id, month, product_id is null
            order by revenue_amount desc nulls last, product_id asc
        ) as revenue_rank
    from products
),

product_sums as (
    select
        organization_id,
        month,
        sum(revenue_amount) as product_revenue,
        sum(if(product_id is not null and revenue_rank <= {{ largest }}, revenue_amount, null)) as top_product_revenue
    from products_ranked
    group by organization_id, month
),

-- The organizations whose orders have lines at all.
lined as (
    select distinct organization_id
    from products
),

sums as (
    select
        organization_id,
        month,
        {%- for name in percentiles %}
        any_value({{ name }}_order_value) as {{ name }}_order_value,
        {%- endfor %}
        {{ sum_known('is_revenue', 'revenue_amount') }} as order_revenue,
        {{ sum_known('is_revenue', 'if(has_rate, tax_amount_reporting, null)') }} as order_tax_amount,
        {{ sum_known('is_revenue', 'if(has_rate, shipping_amount_reporting, null)') }} as order_shipping_amount,
        {{ sum_known('is_revenue', 'if(has_rate, total_amount_reporting, null)') }} as order_charged_amount,
        {{ count_orders_without_charges('is_counted') }} as orders_without_charges,
        {{ count_known('is_counted') }} as order_count,
        countif(is_revenue and not has_rate) as orders_without_rate,
        countif(is_revenue is null) as orders_without_status,
        {{ count_known('not is_revenue') }} as excluded_order_count,
        {{ count_distinct_known('is_counted', 'account_id') }} as customer_count
    from with_percentiles
    group by organization_id, month
),

by_month as (
    select
        months.organization_id,
        months.reporting_currency,
        months.month,
        date_sub(months.month, interval 1 year) as previous_year_month,
        {{ month_is_complete('months.month') }} as is_complete,
        months.first_month <= {{ first_day_of('year', 'months.month') }}
        and {{ year_is_complete('months.month') }} as is_year_complete,
        {%- for name in percentiles %}
        sums.{{ name }}_order_value,
        customer_sums.{{ name }}_revenue_per_customer,
        {%- endfor %}
        {%- for column in [
            'order_revenue', 'order_tax_amount', 'order_shipping_amount', 'order_charged_amount', 'orders_without_charges', 'order_count',
            'orders_without_rate', 'orders_without_status', 'excluded_order_count', 'customer_count'
        ] %}
        if(sums.organization_id is null, 0, sums.{{ column }}) as {{ column }},
        {%- endfor %}
        if(count(sums.organization_id) {{ of_year }} = 0, 0, sum(sums.order_revenue) {{ of_year }}) as year_order_revenue,
        customer_sums.top_customer_revenue,
        {{ zero_without_rows(
            'lined.organization_id is not null', 'product_sums.organization_id', 'product_sums.product_revenue'
        ) }} as product_revenue,
        product_sums.top_product_revenue
    from months
    left join lined
        on lined.organization_id = months.organization_id
    {% for part in ['sums', 'customer_sums', 'product_sums'] -%}
    left join {{ part }}
        on {{ part }}.organization_id = months.organization_id
        and {{ part }}.month = months.month
    {% endfor -%}
),

final as (
    select
        {{ generate_surrogate_key(['by_month.organization_id', 'by_month.month']) }} as revenue_month_key,
        by_month.organization_id,
        by_month.month,
        extract(year from by_month.month) as year,
        by_month.reporting_currency,
        by_month.is_complete,
        by_month.is_year_complete,
        by_month.order_revenue,
        by_month.order_tax_amount,
        by_month.order_shipping_amount,
        by_month.order_charged_amount,
        by_month.orders_without_charges,
        by_month.order_count,
        by_month.orders_without_rate,
        by_month.orders_without_status,
        by_month.excluded_order_count,
        by_month.customer_count,
        by_month.order_revenue / nullif(by_month.order_count, 0) as average_order_value,
        by_month.order_revenue / nullif(by_month.customer_count, 0) as average_revenue_per_customer,
        by_month.median_order_value,
        by_month.p75_order_value,
        by_month.p95_order_value,
        by_month.median_revenue_per_customer,
        by_month.p75_revenue_per_customer,
        by_month.p95_revenue_per_customer,
        100 * cast(by_month.top_customer_revenue as float64) / nullif(cast(by_month.order_revenue as float64), 0)
            as top_10_customer_share_pct,
        by_month.product_revenue,
        100 * cast(by_month.top_product_revenue as float64) / nullif(cast(by_month.product_revenue as float64), 0)
            as top_10_product_share_pct,
        previous_year.order_revenue as previous_year_revenue,
        if(
            by_month.is_complete and previous_year.is_complete,
            100 * cast(by_month.order_revenue - previous_year.order_revenue as float64)
            / nullif(cast(previous_year.order_revenue as float64), 0),
            null
        ) as revenue_yoy_pct,
        by_month.year_order_revenue,
        if(
            by_month.is_year_complete and previous_year.is_year_complete,
            100 * cast(by_month.year_order_revenue - previous_year.year_order_revenue as float64)
            / nullif(cast(previous_year.year_order_revenue as float64), 0),
            null
        ) as year_revenue_yoy_pct
    from by_month
    left join by_month as previous_year
        on previous_year.organization_id = by_month.organization_id
        and previous_year.month = by_month.previous_year_month
)

select *
from final
