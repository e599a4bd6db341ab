{#- MRR of a month is also converted at the rates of so many months before. -#}
{%- set months_ago = [1, 3, 12] -%}
{%- set month_end = 'least(timestamp(date_add(month, interval 1 month)), ' ~ as_of() ~ ')' -%}
with

subscriptions as (
    select
        organization_id,
        subscription_id,
        account_id,
        currency,
        billing_interval,
        interval_count,
        quantity,
        unit_amount,
        coalesce(discount_pct, 0) as discount_pct,
        status,
        started_at,
        trial_ends_at,
        ended_at,
        greatest(started_at, coalesce(trial_ends_at, started_at)) as earns_from
    from {{ ref('stg_billing__subscriptions') }}
    where started_at < {{ as_of() }}
),

billing_intervals as (
    select
        billing_interval,
        periods_per_year
    from {{ ref('billing_intervals') }}
),

roll_up as (
    select
        organization_id,
        account_id,
        top_account_id
    from {{ ref('int_accounts__roll_up') }}
),

currency_months as (
    select
        organization_id,
        currency,
        month,
        {%- for ago in months_ago %}
        rate_to_usd_{{ ago }}_months_ago,
        reporting_rate_to_usd_{{ ago }}_months_ago,
        {%- endfor %}
        rate_to_usd,
        reporting_rate_to_usd
    from {{ ref('int_billing__currency_months') }}
),

organizations as (
    select
        organization_id,
        reporting_currency
    from {{ ref('dim_organizations') }}
),

priced as (
    select
        subscriptions.organization_id,
        subscriptions.subscription_id,
        subscriptions.account_id,
        subscriptions.currency,
        subscriptions.status,
        subscriptions.started_at,
        subscriptions.trial_ends_at,
        subscriptions.ended_at,
        subscriptions.earns_from,
        subscriptions.quantity * subscriptions.unit_amount * (100 - subscriptions.discount_pct)
        * billing_intervals.periods_per_year
        / cast(1200 * nullif(greatest(subscriptions.interval_count, 0), 0) as numeric(38, 9)) as mrr
    from subscriptions
    inner join billing_intervals
        on billing_intervals.billing_interval = subscriptions.billing_interval
),

earning as (
    select
        priced.organization_id,
        priced.subscription_id,
        priced.account_id,
        month,
        {{ month_end }} as month_end,
        priced.earns_from,
        priced.currency,
        priced.mrr
    from priced
    cross join
        unnest(
            generate_date_array(
                {{ first_day_of('month', "greatest(date(priced.started_at), date '1970-01-01')") }},
                least(date(coalesce(priced.ended_at, {{ as_of() }})), {{ last_day_seen() }}),
                interval 1 month
            )
        ) as month
    where priced.mrr > 0 and {{ earns_at(month_end) }}
),

final as (
    select
        earning.organization_id,
        earning.subscription_id,
        coalesce(earning.account_id, 'unknown') as account_id,
        coalesce(roll_up.top_account_id, earning.account_id, 'unknown') as top_account_id,
        roll_up.top_account_id is not null as is_known_account,
        earning.month,
        earning.month_end,
        earning.earns_from,
        earning.currency,
        organizations.reporting_currency,
        earning.mrr,
        {{ to_reporting_currency(
            'earning.mrr', 'earning.currency', 'organizations.reporting_currency',
            'currency_months.rate_to_usd_1_months_ago', 'currency_months.reporting_rate_to_usd_1_months_ago'
        ) }} as mrr_at_rate_of_1_months_ago_amount,
        {{ to_reporting_currency(
            'earning.mrr', 'earning.currency', 'organizations.reporting_currency',
            'currency_months.rate_to_usd_3_months_ago', 'currency_months.reporting_rate_to_usd_3_months_ago'
        ) }} as mrr_at_rate_of_3_months_ago_amount,
        {{ to_reporting_currency(
            'earning.mrr', 'earning.currency', 'organizations.reporting_currency',
            'currency_months.rate_to_usd_12_months_ago', 'currency_months.reporting_rate_to_usd_12_months_ago'
        ) }} as mrr_at_rate_of_12_months_ago_amount,
        {{ to_reporting_currency(
            'earning.mrr', 'earning.currency', 'organizations.reporting_currency',
            'currency_months.rate_to_usd', 'currency_months.reporting_rate_to_usd'
        ) }} as mrr_amount
    from earning
    left join organizations
        on organizations.organization_id = earning.organization_id
    left join roll_up
        on roll_up.organization_id = earning.organization_id
        and roll_up.account_id = earning.account_id
    left join currency_months
        on currency_months.organization_id = earning.organization_id
        and currency_months.currency = earning.currency
        and currency_months.month = earning.month
)

select *
from final
