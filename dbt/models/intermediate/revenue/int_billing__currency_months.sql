with

subscriptions as (
    select
        organization_id,
        currency,
        started_at
    from {{ ref('int_billing__subscription_versions') }}
    where currency is not null and started_at < {{ as_of() }}
),

organizations as (
    select
        organization_id,
        reporting_currency
    from {{ ref('dim_organizations') }}
),

rates as (
    select
        currency,
        rate_day,
        rate_to_usd
    from {{ ref('int_reference__fx_rates_daily') }}
),

first_months as (
    select
        organization_id,
        {{ first_day_of('month', "greatest(date(min(started_at)), date '1970-01-01')") }} as first_month
    from subscriptions
    group by organization_id
),

currencies as (
    select distinct
        subscriptions.organization_id,
        subscriptions.currency,
        first_months.first_month
    from subscriptions
    inner join first_months
        on first_months.organization_id = subscriptions.organization_id
),

-- All currencies of an organization have the months from a year before its first subscription. Amounts are also converted at
-- the rates of twelve months before and of the month in which the account first paid.
months as (
    select
        currencies.organization_id,
        currencies.currency,
        organizations.reporting_currency,
        month,
        least(date_sub(date_add(month, interval 1 month), interval 1 day), {{ last_day_seen() }}) as rate_day
    from currencies
    inner join organizations
        on organizations.organization_id = currencies.organization_id
    cross join
        unnest(
            generate_date_array(
                date_sub(currencies.first_month, interval 12 month), {{ last_day_seen() }}, interval 1 month
            )
        ) as month
),

with_rates as (
    select
        months.organization_id,
        months.currency,
        months.month,
        months.reporting_currency,
        own_rates.rate_to_usd,
        reporting_rates.rate_to_usd as reporting_rate_to_usd
    from months
    {{ join_fx_rate('rates', 'own_rates', 'months.currency', 'months.rate_day') }}
    {{ join_fx_rate('rates', 'reporting_rates', 'months.reporting_currency', 'months.rate_day') }}
),

final as (
    select
        organization_id,
        currency,
        month,
        reporting_currency,
        lag(rate_to_usd, 1) over currency_history as rate_to_usd_1_months_ago,
        lag(reporting_rate_to_usd, 1) over currency_history as reporting_rate_to_usd_1_months_ago,
        lag(rate_to_usd, 3) over currency_history as rate_to_usd_3_months_ago,
        lag(reporting_rate_to_usd, 3) over currency_history as reporting_rate_to_usd_3_months_ago,
        lag(rate_to_usd, 12) over currency_history as rate_to_usd_12_months_ago,
        lag(reporting_rate_to_usd, 12) over currency_history as reporting_rate_to_usd_12_months_ago,
        rate_to_usd,
        reporting_rate_to_usd
    from with_rates
    window currency_history as (partition by organization_id, currency order by month)
)

select *
from final
