{{ config(materialized='table', cluster_by=['organization_id', 'month']) }}
{#- MRR of a month is also converted at the rates of so many months before. -#}
{%- set months_ago = [1, 3, 12] -%}
{%- set gap = 'interval ' ~ var('same_customer_gap_days') ~ ' day' -%}
{%- set first_day = "greatest(date(started_at), date(coalesce(valid_from, started_at)), date '1970-01-01')" -%}
{%- set past_due_days = var('past_due_earns_days') -%}
with

versions as (
    select
        organization_id,
        subscription_id,
        is_current,
        valid_from,
        valid_to,
        account_id,
        plan_tier,
        billing_interval,
        interval_count,
        quantity,
        unit_amount,
        coalesce(discount_pct, 0) as discount_pct,
        currency,
        status,
        status_since,
        started_at,
        trial_ends_at,
        ended_at,
        greatest(started_at, coalesce(trial_ends_at, started_at)) as earns_from
    from {{ ref('int_billing__subscription_versions') }}
),

subscription_statuses as (
    select
        status,
        means,
        earns,
        earned_before
    from {{ ref('subscription_statuses') }}
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

-- The price by an unknown interval is that of a month, to show what is at stake.
priced as (
    select
        versions.organization_id,
        versions.subscription_id,
        versions.is_current,
        versions.valid_from,
        versions.valid_to,
        coalesce(versions.account_id, 'unknown') as account_id,
        coalesce(roll_up.top_account_id, versions.account_id, 'unknown') as top_account_id,
        roll_up.top_account_id is not null as is_known_account,
        versions.plan_tier,
        versions.billing_interval,
        versions.interval_count,
        versions.currency,
        versions.status,
        versions.status_since,
        subscription_statuses.means,
        subscription_statuses.earns,
        subscription_statuses.earned_before,
        versions.started_at,
        versions.trial_ends_at,
        versions.ended_at,
        versions.earns_from,
        billing_intervals.periods_per_year is not null as is_known_interval,
        versions.quantity * versions.unit_amount * (100 - versions.discount_pct)
        * coalesce(billing_intervals.periods_per_year, 12)
        / cast(1200 * nullif(greatest(versions.interval_count, 0), 0) as numeric(38, 9)) as mrr
    from versions
    left join subscription_statuses
        on subscription_statuses.status = versions.status
    left join billing_intervals
        on billing_intervals.billing_interval = versions.billing_interval
    left join roll_up
        on roll_up.organization_id = versions.organization_id
        and roll_up.account_id = versions.account_id
),

-- The instants at which an account begins to pay, by the versions that earn.
beginnings as (
    select
        organization_id,
        top_account_id,
        subscription_id,
        valid_from,
        earns_from
    from priced
    where
        mrr > 0
        and is_known_interval
        and coalesce(ended_at > earns_from, true)
        and if(valid_from is null, earned_before, earns)
),

continued as (
    select
        ended.organization_id,
        ended.subscription_id,
        min(beginnings.earns_from) as continued_at
    from priced as ended
    inner join beginnings
        on beginnings.organization_id = ended.organization_id
        and beginnings.top_account_id = ended.top_account_id
    where
        ended.is_current
        and beginnings.subscription_id != ended.subscription_id
        and beginnings.earns_from > ended.ended_at
        and beginnings.earns_from <= timestamp_add(ended.ended_at, {{ gap }})
        and coalesce(beginnings.valid_from <= timestamp_add(ended.ended_at, {{ gap }}), true)
    group by ended.organization_id, ended.subscription_id
),

lasting as (
    select
        priced.organization_id,
        priced.subscription_id,
        priced.valid_from,
        priced.valid_to,
        priced.account_id,
        priced.top_account_id,
        priced.is_known_account,
        priced.plan_tier,
        priced.billing_interval,
        priced.interval_count,
        priced.currency,
        priced.status,
        priced.status_since,
        priced.means,
        priced.earns,
        priced.earned_before,
        priced.is_known_interval,
        priced.started_at,
        priced.trial_ends_at,
        priced.earns_from,
        priced.mrr,
        coalesce(continued.continued_at, priced.ended_at) as ended_at
    from priced
    left join continued
        on continued.organization_id = priced.organization_id
        and continued.subscription_id = priced.subscription_id
),

months as (
    select
        lasting.organization_id,
        lasting.subscription_id,
        lasting.valid_from,
        lasting.valid_to,
        lasting.account_id,
        lasting.top_account_id,
        lasting.is_known_account,
        lasting.plan_tier,
        lasting.billing_interval,
        lasting.interval_count,
        lasting.currency,
        lasting.status,
        lasting.status_since,
        lasting.means,
        lasting.earns,
        lasting.earned_before,
        lasting.is_known_interval,
        lasting.started_at,
        lasting.trial_ends_at,
        lasting.earns_from,
        lasting.mrr,
        lasting.ended_at,
        month,
        least(timestamp(date_add(month, interval 1 month)), {{ as_of() }}) as month_end
    from lasting
    cross join
        unnest(
            generate_date_array(
                {{ first_day_of('month', first_day) }},
                least(
                    date(coalesce(lasting.ended_at, {{ as_of() }})),
                    date(coalesce(lasting.valid_to, {{ as_of() }})),
                    {{ last_day_seen() }}
                ),
                interval 1 month
            )
        ) as month
),

in_force as (
    select
        organization_id,
        subscription_id,
        account_id,
        top_account_id,
        is_known_account,
        month,
        month_end,
        earns_from,
        plan_tier,
        billing_interval,
        interval_count,
        currency,
        status,
        case
            when means is null then 'unknown_status'
            when not is_known_interval then 'unknown_interval'
            when mrr is null then 'unpriced'
            when mrr = 0 then 'free'
            when trial_ends_at >= month_end then 'trialing'
            when not if(coalesce(status_since >= month_end, false), earned_before, earns) then means
            {%- if past_due_days is not none %}
            when means = 'past_due' and timestamp_add(status_since, interval {{ past_due_days }} day) < month_end then means
            {%- endif %}
            else 'earning'
        end as state,
        mrr
    from months
    where
        {{ is_in_force_at('month_end') }}
        and coalesce(valid_from < month_end, true)
        and coalesce(valid_to >= month_end, true)
),

final as (
    select
        in_force.organization_id,
        in_force.subscription_id,
        in_force.account_id,
        in_force.top_account_id,
        in_force.is_known_account,
        in_force.month,
        in_force.month_end,
        in_force.earns_from,
        in_force.plan_tier,
        in_force.billing_interval,
        in_force.interval_count,
        in_force.currency,
        organizations.reporting_currency,
        in_force.status,
        in_force.state,
        in_force.mrr,
        {{ to_reporting_currency(
            'in_force.mrr', 'in_force.currency', 'organizations.reporting_currency',
            'currency_months.rate_to_usd_1_months_ago', 'currency_months.reporting_rate_to_usd_1_months_ago'
        ) }} as mrr_at_rate_of_1_months_ago_amount,
        {{ to_reporting_currency(
            'in_force.mrr', 'in_force.currency', 'organizations.reporting_currency',
            'currency_months.rate_to_usd_3_months_ago', 'currency_months.reporting_rate_to_usd_3_months_ago'
        ) }} as mrr_at_rate_of_3_months_ago_amount,
        {{ to_reporting_currency(
            'in_force.mrr', 'in_force.currency', 'organizations.reporting_currency',
            'currency_months.rate_to_usd_12_months_ago', 'currency_months.reporting_rate_to_usd_12_months_ago'
        ) }} as mrr_at_rate_of_12_months_ago_amount,
        {{ to_reporting_currency(
            'in_force.mrr', 'in_force.currency', 'organizations.reporting_currency',
            'currency_months.rate_to_usd', 'currency_months.reporting_rate_to_usd'
        ) }} as mrr_amount
    from in_force
    left join organizations
        on organizations.organization_id = in_force.organization_id
    left join currency_months
        on currency_months.organization_id = in_force.organization_id
        and currency_months.currency = in_force.currency
        and currency_months.month = in_force.month
)

select *
from final
