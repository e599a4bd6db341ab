{{ config(materialized='table', access='protected') }}
{%- set parts = ['recency', 'frequency', 'holdings', 'tickets', 'revenue'] -%}
{%- set weighted = {} -%}
{%- for part in parts -%}
{%- do weighted.update({part ~ '_part': part ~ '_weight'}) -%}
{%- endfor -%}
{%- set points = [
    'recency_from_days', 'recency_to_days', 'one_product_points', 'two_products_points', 'open_ticket_points',
    'breached_ticket_points', 'contraction_points',
] -%}
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
        lifetime_months_cap
    from {{ ref('churn_risk_settings') }}
),

levels as (
    select
        churn_risk_level,
        from_score,
        below_score,
        is_at_risk,
        contact_within_days
    from {{ ref('churn_risk_levels') }}
),

actions as (
    select
        component,
        component_order,
        recommended_action
    from {{ ref('churn_actions') }}
),

customers as (
    select *
    from {{ ref('int_customers__signals') }}
    where last_login_at is not null or subscription_count > 0
),

accounts as (
    select
        organization_id,
        account_id,
        top_account_id,
        is_top_account,
        segment
    from {{ ref('dim_accounts') }}
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
    from {{ ref('stg_billing__subscriptions') }}
    where {{ is_in_force_at(as_of()) }}
),

revenue as (
    select
        organization_id,
        account_id,
        month,
        is_complete,
        movement,
        subscription_count,
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
    where subscriptions.product_id is not null
),

held as (
    select
        holdings.organization_id,
        holdings.account_id,
        count(*) as product_count,
        string_agg(
            coalesce(products.product_name, 'unknown'), ', '
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
        count(*) as arpa_month_count
    from revenue
    cross join settings
    where date_diff({{ month }}, revenue.month, month) < settings.arpa_months
    group by revenue.organization_id, revenue.account_id
),

segment_logos as (
    select
        revenue.organization_id,
        accounts.segment,
        countif(revenue.opening_subscription_count > 0) as opening_logo_count,
        countif(revenue.movement = 'churn') as churned_logo_count
    from revenue
    inner join accounts
        on accounts.organization_id = revenue.organization_id
        and accounts.account_id = revenue.account_id
    cross join settings
    where
        accounts.is_top_account
        and revenue.is_complete
        and date_diff({{ first_day_of('month', as_of_date()) }}, revenue.month, month) <= settings.logo_churn_months
    group by revenue.organization_id, accounts.segment
),

measured as (
    select
        customers.*,
        settings.* except (arpa_months, logo_churn_months),
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
        coalesce(held.product_count, 0) as product_count,
        held.product_names,
        coalesce(arpas.arpa_amount, 0) as arpa_amount,
        coalesce(arpas.arpa_month_count, 0) as arpa_month_count,
        round(coalesce(held.margin_pct, organization_margins.margin_pct), 4) as gross_margin_pct,
        case
            when held.margin_pct is not null then 'products'
            when organization_margins.margin_pct is not null then 'organization'
            else 'unknown'
        end as gross_margin_source,
        cast(coalesce(segment_logos.opening_logo_count, 0) as int64) as opening_logo_count,
        cast(coalesce(segment_logos.churned_logo_count, 0) as int64) as churned_logo_count,
        100 * segment_logos.churned_logo_count / nullif(segment_logos.opening_logo_count, 0)
            as segment_logo_churn_pct
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
),

-- Every branch handles NULL itself, because least and greatest ignore NULL on some engines.
with_parts as (
    select
        *,
        case
            when days_since_login is null then null
            when days_since_login <= recency_from_days then 0.0
            when days_since_login >= recency_to_days then 100.0
            else 100 * (days_since_login - recency_from_days) / (recency_to_days - recency_from_days)
        end as recency_part,
        case
            when event_change_pct < 0 then -event_change_pct
            when event_change_pct >= 0 or frequency_event_count > 0 then 0.0
        end as frequency_part,
        case
            when product_count <= 1 then one_product_points
            when product_count = 2 then two_products_points
            else 0.0
        end as holdings_part,
        least(
            100.0,
            open_ticket_points * open_ticket_count + breached_ticket_points * risk_breached_ticket_count
        ) as tickets_part,
        case
            when mrr_growth_pct < 0 then least(100.0, -mrr_growth_pct * contraction_points / 100)
            when mrr_growth_pct >= 0 then 0.0
        end as revenue_part,
        case
            when segment_logo_churn_pct is null then null
            when segment_logo_churn_pct * lifetime_months_cap <= 100 then cast(lifetime_months_cap as float64)
            else 100 / segment_logo_churn_pct
        end as lifetime_months
    from measured
),

weighed as (
    select
        *,
        {{ known_weight(weighted) }} as data_coverage,
        round({{ calculate_health_score(weighted) }}, 9) as churn_risk_score,
        cast(arpa_amount as float64) * gross_margin_pct / 100 * lifetime_months as estimated_clv_amount
    from with_parts
),

contributed as (
    select
        *,
        {%- for part in parts %}
        {{ score_contribution(part ~ '_part', part ~ '_weight', 'data_coverage') }} as {{ part }}_contribution,
        {%- endfor %}
        coalesce(cast(cast(floor(days_since_login) as int64) as string), '') as days_in_words,
        coalesce(cast(cast(round(-event_change_pct) as int64) as string), '') as drop_in_words,
        coalesce(cast(cast(round(-mrr_growth_pct) as int64) as string), '') as contraction_in_words
    from weighed
),

reasons as (
    {%- set words = {
        'recency': "concat('no login for ', days_in_words, ' days')",
        'frequency': "concat('use down ', drop_in_words, ' % on the month before')",
        'holdings': "case product_count when 0 then 'no product in force' when 1 then 'one product only' else 'two products only' end",
        'tickets': "concat(cast(open_ticket_count as string), ' open and ', cast(risk_breached_ticket_count as string), ' late tickets')",
        'revenue': "concat('revenue down ', contraction_in_words, ' % in three months')",
    } %}
    {%- for part in parts %}
    select
        organization_id,
        account_id,
        '{{ part }}' as component,
        {{ part }}_contribution as contribution,
        {{ words[part] }} as reason
    from contributed
    where {{ part }}_contribution > 0
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

ordered_reasons as (
    select
        reasons.organization_id,
        reasons.account_id,
        reasons.component,
        reasons.reason,
        row_number() over (
            partition by reasons.organization_id, reasons.account_id
            order by round(reasons.contribution, 9) desc, actions.component_order
        ) as reason_order
    from reasons
    inner join actions
        on actions.component = reasons.component
),

top_reasons as (
    select
        organization_id,
        account_id,
        {%- for number in [1, 2, 3] %}
        max(if(reason_order = {{ number }}, component, null)) as reason_{{ number }}_component,
        max(if(reason_order = {{ number }}, reason, null)) as reason_{{ number }},
        {%- endfor %}
        count(*) as reason_count
    from ordered_reasons
    group by organization_id, account_id
),

final as (
    select
        contributed.organization_id,
        contributed.account_id,
        contributed.account_key,
        contributed.account_name,
        contributed.segment,
        contributed.plan_tier,
        contributed.region,
        contributed.owner_user_id,
        contributed.owner_name,
        if(contributed.lifecycle_stage = 'active' and levels.is_at_risk, 'at_risk', contributed.lifecycle_stage)
            as lifecycle_stage,
        contributed.reporting_currency,
        contributed.subscription_count,
        contributed.mrr_amount,
        contributed.last_login_at,
        contributed.days_since_login,
        contributed.days_since_login > contributed.churned_days as is_churned_30d,
        contributed.days_since_login > contributed.long_churned_days as is_churned_90d,
        contributed.login_count,
        contributed.frequency_event_count as event_count,
        contributed.earlier_event_count,
        contributed.event_change_pct,
        contributed.product_count,
        contributed.product_names,
        contributed.open_ticket_count,
        contributed.risk_breached_ticket_count as breached_ticket_count,
        contributed.mrr_3_months_ago_amount,
        contributed.mrr_at_rate_of_3_months_ago_amount,
        contributed.mrr_growth_pct,
        contributed.recency_part,
        contributed.recency_contribution,
        contributed.frequency_part,
        contributed.frequency_contribution,
        contributed.holdings_part,
        contributed.holdings_contribution,
        contributed.tickets_part,
        contributed.tickets_contribution,
        contributed.revenue_part,
        contributed.revenue_contribution,
        contributed.data_coverage,
        contributed.churn_risk_score,
        levels.churn_risk_level,
        top_reasons.reason_1,
        top_reasons.reason_2,
        top_reasons.reason_3,
        actions.recommended_action,
        levels.contact_within_days,
        contributed.arpa_amount,
        contributed.arpa_month_count,
        contributed.gross_margin_pct,
        contributed.gross_margin_source,
        contributed.opening_logo_count,
        contributed.churned_logo_count,
        contributed.segment_logo_churn_pct,
        contributed.lifetime_months,
        contributed.estimated_clv_amount
    from contributed
    inner join levels
        on (levels.from_score is null or contributed.churn_risk_score >= levels.from_score)
        and (levels.below_score is null or contributed.churn_risk_score < levels.below_score)
    left join top_reasons
        on top_reasons.organization_id = contributed.organization_id
        and top_reasons.account_id = contributed.account_id
    inner join actions
        on actions.component
        = if(levels.contact_within_days is null, 'none', coalesce(top_reasons.reason_1_component, 'none'))
)

select *
from final
