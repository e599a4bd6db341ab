{%- set history = '(partition by organization_id, subscription_id order by updated_at)' -%}
with

loaded as (
    {{ unite('subscriptions', versions=true) }}
),

-- The row as of the run has the dates. A subscription that billing has deleted has no row.
subscriptions as (
    select
        organization_id,
        subscription_id,
        account_id,
        product_id,
        status,
        started_at,
        trial_ends_at,
        current_period_end,
        cancelled_at,
        ended_at
    from {{ ref('conformed_subscriptions') }}
),

subscription_statuses as (
    select
        status,
        means
    from {{ ref('subscription_statuses') }}
),

terms as (
    select
        organization_id,
        subscription_id,
        {{ category('plan_tier') }} as plan_tier,
        {{ billing_word('billing_interval') }} as billing_interval,
        interval_count,
        quantity,
        unit_amount,
        discount_pct,
        {{ currency_code('currency') }} as currency,
        {{ billing_word('status') }} as status,
        paused_at,
        updated_at
    from loaded
    where not _is_deleted
),

dated as (
    select
        organization_id,
        subscription_id,
        plan_tier,
        billing_interval,
        interval_count,
        quantity,
        unit_amount,
        discount_pct,
        currency,
        status,
        paused_at,
        updated_at,
        row_number() over {{ history }} as version_number,
        lead(updated_at) over {{ history }} as valid_to,
        coalesce(status != lag(status) over {{ history }}, true) as is_other_status
    from terms
),

status_intervals as (
    select
        organization_id,
        subscription_id,
        plan_tier,
        billing_interval,
        interval_count,
        quantity,
        unit_amount,
        discount_pct,
        currency,
        status,
        paused_at,
        updated_at,
        version_number,
        valid_to,
        sum(if(is_other_status, 1, 0)) over {{ history }} as status_interval_number
    from dated
),

-- The status of the first version began before the platform loaded it. Billing may say when a pause began.
versions as (
    select
        status_intervals.organization_id,
        status_intervals.subscription_id,
        status_intervals.plan_tier,
        status_intervals.billing_interval,
        status_intervals.interval_count,
        status_intervals.quantity,
        status_intervals.unit_amount,
        status_intervals.discount_pct,
        status_intervals.currency,
        status_intervals.status,
        status_intervals.version_number,
        if(status_intervals.version_number = 1, null, status_intervals.updated_at) as valid_from,
        status_intervals.valid_to,
        min(
            case
                when
                    status_intervals.status_interval_number = 1
                    and subscription_statuses.means = 'paused'
                    and status_intervals.paused_at < status_intervals.updated_at
                    then status_intervals.paused_at
                else status_intervals.updated_at
            end
        ) over (
            partition by
                status_intervals.organization_id, status_intervals.subscription_id, status_intervals.status_interval_number
        ) as status_since
    from status_intervals
    left join subscription_statuses
        on subscription_statuses.status = status_intervals.status
),

final as (
    select
        versions.organization_id,
        versions.subscription_id,
        versions.version_number,
        versions.valid_to is null as is_current,
        versions.valid_from,
        versions.valid_to,
        subscriptions.account_id,
        subscriptions.product_id,
        versions.plan_tier,
        versions.billing_interval,
        versions.interval_count,
        versions.quantity,
        versions.unit_amount,
        versions.discount_pct,
        versions.currency,
        versions.status,
        versions.status_since,
        subscriptions.started_at,
        subscriptions.trial_ends_at,
        case
            when subscriptions.ended_at is null and subscription_statuses.means = 'cancelled'
                then coalesce(
                    greatest(subscriptions.cancelled_at, subscriptions.current_period_end),
                    subscriptions.cancelled_at,
                    subscriptions.current_period_end,
                    last_value(versions.status_since) over last_version,
                    subscriptions.started_at
                )
            else subscriptions.ended_at
        end as ended_at,
        coalesce(
            subscription_statuses.means = 'cancelled'
            and subscriptions.ended_at is null
            and subscriptions.cancelled_at is null
            and subscriptions.current_period_end is null,
            false
        ) as is_end_assumed
    from versions
    inner join subscriptions
        on subscriptions.organization_id = versions.organization_id
        and subscriptions.subscription_id = versions.subscription_id
    left join subscription_statuses
        on subscription_statuses.status = subscriptions.status
    window last_version as (
        partition by versions.organization_id, versions.subscription_id
        order by versions.version_number
        rows between unbounded preceding and unbounded following
    )
)

select *
from final
