{{ config(materialized='table', access='protected') }}
{%- set parts = ['recency', 'frequency', 'holdings', 'tickets', 'revenue'] -%}
{%- set weighted = {} -%}
{%- for part in parts -%}
{%- do weighted.update({'with_parts.' ~ part ~ '_part': 'settings.' ~ part ~ '_weight'}) -%}
{%- endfor -%}
{%- set points = [
    'recency_from_days', 'recency_to_days', 'one_product_points', 'two_products_points', 'open_ticket_points',
    'breached_ticket_points', 'contraction_points',
] -%}
{#- Columns of int_customers__signals, and then of `measured`, that pass through every CTE. -#}
{%- set attributes = [
    'organization_id', 'account_id', 'account_key', 'account_name', 'segment', 'plan_tier', 'region', 'owner_user_id',
    'owner_name', 'lifecycle_stage', 'reporting_currency', 'subscription_count', 'mrr_amount', 'last_login_at', 'login_count',
    'frequency_event_count', 'earlier_event_count', 'open_ticket_count', 'risk_breached_ticket_count',
    'mrr_3_months_ago_amount', 'mrr_at_rate_of_3_months_ago_amount',
] -%}
{%- set measures = [
    'days_since_login', 'event_change_pct', 'mrr_growth_pct', 'product_count', 'product_names', 'arpa_amount',
    'arpa_month_count', 'arpa_subscriptions_without_rate', 'gross_margin_pct', 'gross_margin_source', 'opening_logo_count', 'churned_logo_count',
    'segment_logo_churn_pct', 'organization_opening_logo_count', 'organization_churned_logo_count', 'logo_churn_source',
    'logo_churn_pct',
] -%}
{#- Its signals are NULL if an organization has no subscriptions. -#}
{%- set has_subscriptions = 'customers.subscription_count is not null' -%}
{%- set month = first_day_of('month', last_day_seen()) -%}
with

settings as (
    select
        {%- for part in parts %}
        cast({{ part }}_weight as float64) as {{ part }}_weight,
        {%- endfor %}
        {%- for point in points %}
        cast({{ point }} as float64) as {{ point }},
        {%- endfor %}
        churned_days,
        long_churned_days,
        arpa_months,
        logo_churn_months,
        lifetime_months_cap,
        least_logo_base
    from {{ ref('churn_risk_settings') }}
),

actions as (
    select
        component,
        component_order,
        from_part,
        recommended_action
    from {{ ref('churn_actions') }}
),

customers as (
    select *
    from {{ ref('int_customers__signals') }}
),

accounts as (
    select
        organization_id,
        account_id,
        top_account_id
    from {{ ref('dim_accounts') }}
),

account_months as (
    select
        organization_id,
        account_id,
        month,
        segment
    from {{ ref('fct_account_months') }}
    where segment is not null
),

products as (
    select
        organization_id,
        product_id,
        product_name,
        margin_pct
    from {{ ref('dim_products') }}
),

subscriptions as (
    select
        organization_id,
        account_id,
        product_id
    from {{ ref('int_billing__subscription_versions') }}
    where is_current and {{ is_in_force_at(as_of()) }}
),

revenue as (
    select
        organization_id,
        account_id,
        month,
        is_complete,
        movement,
        subscription_count,
        subscriptions_without_rate,
        mrr_amount,
        lag(subscription_count) over (partition by organization_id, account_id order by month)
            as opening_subscription_count
    from {{ ref('fct_revenue') }}
),

holdings as (
    select distinct
        accounts.organization_id,
        accounts.top_account_id as account_id,
        subscriptions.product_id
    from subscriptions
    inner join accounts
        on accounts.organization_id = subscriptions.organization_id
        and accounts.account_id = subscriptions.account_id
),

held as (
    select
        holdings.organization_id,
        holdings.account_id,
        nullif(count(holdings.product_id), 0) as product_count,
        string_agg(
            if(holdings.product_id is null, null, coalesce(products.product_name, 'unknown')), ', '
            order by coalesce(products.product_name, 'unknown'), holdings.product_id
        ) as product_names,
        {{ exact_mean('products.margin_pct') }} as margin_pct
    from holdings
    left join products
        on products.organization_id = holdings.organization_id
        and products.product_id = holdings.product_id
    group by holdings.organization_id, holdings.account_id
),

organization_margins as (
    select
        organization_id,
        {{ exact_mean('margin_pct') }} as margin_pct
    from products
    group by organization_id
),

arpas as (
    select
        revenue.organization_id,
        revenue.account_id,
        sum(revenue.mrr_amount) / count(*) as arpa_amount,
        count(*) as arpa_month_count,
        sum(revenue.subscriptions_without_rate) as arpa_subscriptions_without_rate
    from revenue
    cross join settings
    where date_diff({{ month }}, revenue.month, month) < settings.arpa_months
    group by revenue.organization_id, revenue.account_id
),

-- An account counts in the segment of the month before, in which it had MRR.
segment_logos as (
    select
        revenue.organization_id,
        account_months.segment,
        countif(revenue.opening_subscription_count > 0) as opening_logo_count,
        countif(revenue.movement = 'churn') as churned_logo_count
    from revenue
    inner join account_months
        on account_months.organization_id = revenue.organization_id
        and account_months.account_id = revenue.account_id
        and account_months.month = date_sub(revenue.month, interval 1 month)
    cross join settings
    where
        revenue.is_complete
        and date_diff({{ first_day_of('month', as_of_date()) }}, revenue.month, month) <= settings.logo_churn_months
    group by revenue.organization_id, account_months.segment
),

organization_logos as (
    select
        organization_id,
        cast(sum(opening_logo_count) as int64) as opening_logo_count,
        cast(sum(churned_logo_count) as int64) as churned_logo_count
    from segment_logos
    group by organization_id
),

measured as (
    select
        customers.{{ attributes | join(',\n        customers.') }},
        timestamp_diff({{ as_of() }}, customers.last_login_at, microsecond) / 86400000000 as days_since_login,
        case
            when customers.earlier_event_count > 0
                then
                    100 * (customers.frequency_event_count - customers.earlier_event_count)
                    / customers.earlier_event_count
        end as event_change_pct,
        case
            when customers.is_revenue_comparable and customers.mrr_3_months_ago_amount > 0
                then
                    100 * cast(
                        customers.mrr_at_rate_of_3_months_ago_amount - customers.mrr_3_months_ago_amount as float64
                    ) / cast(customers.mrr_3_months_ago_amount as float64)
        end as mrr_growth_pct,
        {{ zero_without_rows(has_subscriptions, 'held.account_id', 'held.product_count') }} as product_count,
        held.product_names,
        {{ zero_without_rows(has_subscriptions, 'arpas.account_id', 'arpas.arpa_amount') }} as arpa_amount,
        {{ zero_without_rows(has_subscriptions, 'arpas.account_id', 'arpas.arpa_month_count') }} as arpa_month_count,
        cast(
            {{ zero_without_rows(has_subscriptions, 'arpas.account_id', 'arpas.arpa_subscriptions_without_rate') }} as int64
        ) as arpa_subscriptions_without_rate,
        round(coalesce(held.margin_pct, organization_margins.margin_pct), 4) as gross_margin_pct,
        case
            when held.margin_pct is not null then 'products'
            when organization_margins.margin_pct is not null then 'organization'
            else 'unknown'
        end as gross_margin_source,
        cast(
            {{ zero_without_rows(has_subscriptions, 'segment_logos.segment', 'segment_logos.opening_logo_count') }} as int64
        ) as opening_logo_count,
        cast(
            {{ zero_without_rows(has_subscriptions, 'segment_logos.segment', 'segment_logos.churned_logo_count') }} as int64
        ) as churned_logo_count,
        100 * segment_logos.churned_logo_count / nullif(segment_logos.opening_logo_count, 0)
            as segment_logo_churn_pct,
        {{ zero_without_rows(
            has_subscriptions, 'organization_logos.organization_id', 'organization_logos.opening_logo_count'
        ) }} as organization_opening_logo_count,
        {{ zero_without_rows(
            has_subscriptions, 'organization_logos.organization_id', 'organization_logos.churned_logo_count'
        ) }} as organization_churned_logo_count,
        case
            when segment_logos.opening_logo_count >= settings.least_logo_base then 'segment'
            when organization_logos.opening_logo_count >= settings.least_logo_base then 'organization'
            else 'unknown'
        end as logo_churn_source,
        case
            when segment_logos.opening_logo_count >= settings.least_logo_base
                then 100 * segment_logos.churned_logo_count / segment_logos.opening_logo_count
            when organization_logos.opening_logo_count >= settings.least_logo_base
                then 100 * organization_logos.churned_logo_count / organization_logos.opening_logo_count
        end as logo_churn_pct
    from customers
    cross join settings
    left join held
        on held.organization_id = customers.organization_id
        and held.account_id = customers.account_id
    left join arpas
        on arpas.organization_id = customers.organization_id
        and arpas.account_id = customers.account_id
    left join organization_margins
        on organization_margins.organization_id = customers.organization_id
    left join segment_logos
        on segment_logos.organization_id = customers.organization_id
        and segment_logos.segment = customers.segment
    left join organization_logos
        on organization_logos.organization_id = customers.organization_id
    where customers.last_login_at is not null or customers.subscription_count > 0
),

-- Every branch handles NULL itself, because least and greatest ignore NULL on some engines.
with_parts as (
    select
        measured.{{ (attributes + measures) | join(',\n        measured.') }},
        case
            when measured.days_since_login is null then null
            when measured.days_since_login <= settings.recency_from_days then 0.0
            when measured.days_since_login >= settings.recency_to_days then 100.0
            else
                100 * (measured.days_since_login - settings.recency_from_days)
                / (settings.recency_to_days - settings.recency_from_days)
        end as recency_part,
        case
            when measured.event_change_pct < 0 then -measured.event_change_pct
            when measured.event_change_pct >= 0 or measured.frequency_event_count > 0 then 0.0
        end as frequency_part,
        case
            when measured.product_count is null then null
            when measured.product_count <= 1 then settings.one_product_points
            when measured.product_count = 2 then settings.two_products_points
            else 0.0
        end as holdings_part,
        case
            when measured.open_ticket_count is not null and measured.risk_breached_ticket_count is not null
                then
                    least(
                        100.0,
                        settings.open_ticket_points * measured.open_ticket_count
                        + settings.breached_ticket_points * measured.risk_breached_ticket_count
                    )
        end as tickets_part,
        case
            when measured.mrr_growth_pct < 0 then least(100.0, -measured.mrr_growth_pct * settings.contraction_points / 100)
            when measured.mrr_growth_pct >= 0 then 0.0
        end as revenue_part,
        case
            when measured.logo_churn_pct is null then null
            when measured.logo_churn_pct * settings.lifetime_months_cap <= 100
                then cast(settings.lifetime_months_cap as float64)
            else 100 / measured.logo_churn_pct
        end as lifetime_months
    from measured
    cross join settings
),

weighed as (
    select
        with_parts.{{ (attributes + measures) | join(',\n        with_parts.') }},
        with_parts.recency_part,
        settings.recency_weight,
        with_parts.frequency_part,
        settings.frequency_weight,
        with_parts.holdings_part,
        settings.holdings_weight,
        with_parts.tickets_part,
        settings.tickets_weight,
        with_parts.revenue_part,
        settings.revenue_weight,
        with_parts.lifetime_months,
        {{ known_weight(weighted) }} as data_coverage,
        round({{ calculate_health_score(weighted) }}, 9) as churn_risk_score,
        case
            when with_parts.subscription_count = 0 then 0.0
            when with_parts.arpa_subscriptions_without_rate = 0
                then cast(with_parts.arpa_amount as float64) * with_parts.gross_margin_pct / 100 * with_parts.lifetime_months
        end as estimated_clv_amount
    from with_parts
    cross join settings
),

reasons as (
    {%- set words = {
        'recency': "concat('no login for ', cast(cast(floor(days_since_login) as int64) as string), ' days')",
        'frequency': "concat('use down ', cast(cast(round(-event_change_pct) as int64) as string), ' % on the month before')",
        'holdings': "case product_count when 0 then 'no product in force' when 1 then 'one product only' else 'two products only' end",
        'tickets': "concat(cast(open_ticket_count as string), ' open and ', cast(risk_breached_ticket_count as string), ' late tickets')",
        'revenue': "concat('revenue down ', cast(cast(round(-mrr_growth_pct) as int64) as string), ' % in three months')",
    } %}
    {%- for part in parts %}
    select
        organization_id,
        account_id,
        '{{ part }}' as component,
        {{ part }}_part as part,
        {{ score_contribution(part ~ '_part', part ~ '_weight', 'data_coverage') }} as contribution,
        {{ words[part] }} as reason
    from weighed
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- The first reason whose part is large enough justifies the action.
ordered_reasons as (
    select
        reasons.organization_id,
        reasons.account_id,
        reasons.reason,
        row_number() over (
            partition by reasons.organization_id, reasons.account_id
            order by round(reasons.contribution, 9) desc, actions.component_order
        ) as reason_order,
        row_number() over (
            partition by reasons.organization_id, reasons.account_id
            order by if(reasons.part >= actions.from_part, 0, 1), round(reasons.contribution, 9) desc, actions.component_order
        ) as action_order,
        if(reasons.part >= actions.from_part, actions.recommended_action, null) as recommended_action
    from reasons
    inner join actions
        on actions.component = reasons.component
    where reasons.contribution > 0
),

top_reasons as (
    select
        organization_id,
        account_id,
        {%- for number in [1, 2, 3] %}
        max(if(reason_order = {{ number }}, reason, null)) as reason_{{ number }},
        {%- endfor %}
        max(if(action_order = 1, recommended_action, null)) as recommended_action,
        max(if(action_order = 1 and recommended_action is not null, reason, null)) as action_reason
    from ordered_reasons
    group by organization_id, account_id
),

final as (
    select
        weighed.organization_id,
        weighed.account_id,
        weighed.account_key,
        weighed.account_name,
        weighed.segment,
        weighed.plan_tier,
        weighed.region,
        weighed.owner_user_id,
        weighed.owner_name,
        weighed.lifecycle_stage,
        weighed.reporting_currency,
        weighed.subscription_count,
        weighed.mrr_amount,
        weighed.last_login_at,
        weighed.days_since_login,
        weighed.days_since_login > settings.churned_days as is_churned_30d,
        weighed.days_since_login > settings.long_churned_days as is_churned_90d,
        weighed.login_count,
        weighed.frequency_event_count as event_count,
        weighed.earlier_event_count,
        weighed.event_change_pct,
        weighed.product_count,
        weighed.product_names,
        weighed.open_ticket_count,
        weighed.risk_breached_ticket_count as breached_ticket_count,
        weighed.mrr_3_months_ago_amount,
        weighed.mrr_at_rate_of_3_months_ago_amount,
        weighed.mrr_growth_pct,
        weighed.recency_part,
        {{ score_contribution('weighed.recency_part', 'weighed.recency_weight', 'weighed.data_coverage') }}
            as recency_contribution,
        weighed.frequency_part,
        {{ score_contribution('weighed.frequency_part', 'weighed.frequency_weight', 'weighed.data_coverage') }}
            as frequency_contribution,
        weighed.holdings_part,
        {{ score_contribution('weighed.holdings_part', 'weighed.holdings_weight', 'weighed.data_coverage') }}
            as holdings_contribution,
        weighed.tickets_part,
        {{ score_contribution('weighed.tickets_part', 'weighed.tickets_weight', 'weighed.data_coverage') }}
            as tickets_contribution,
        weighed.revenue_part,
        {{ score_contribution('weighed.revenue_part', 'weighed.revenue_weight', 'weighed.data_coverage') }}
            as revenue_contribution,
        weighed.data_coverage,
        weighed.churn_risk_score,
        top_reasons.reason_1,
        top_reasons.reason_2,
        top_reasons.reason_3,
        top_reasons.recommended_action,
        top_reasons.action_reason,
        weighed.arpa_amount,
        weighed.arpa_month_count,
        weighed.arpa_subscriptions_without_rate,
        weighed.gross_margin_pct,
        weighed.gross_margin_source,
        weighed.opening_logo_count,
        weighed.churned_logo_count,
        weighed.segment_logo_churn_pct,
        weighed.organization_opening_logo_count,
        weighed.organization_churned_logo_count,
        weighed.logo_churn_source,
        weighed.logo_churn_pct,
        weighed.lifetime_months,
        weighed.estimated_clv_amount
    from weighed
    cross join settings
    left join top_reasons
        on top_reasons.organization_id = weighed.organization_id
        and top_reasons.account_id = weighed.account_id
)

select *
from final
