with

source as (
    {{ unite('subscriptions') }}
),

renamed as (
    select
        subscription_id,
        organization_id,
        account_id,
        product_id,
        replaces_subscription_id,
        {{ category('plan_tier') }} as plan_tier,
        {{ billing_word('billing_interval') }} as billing_interval,
        interval_count,
        quantity,
        unit_amount,
        discount_pct,
        {{ currency_code('currency') }} as currency,
        {{ billing_word('status') }} as status,
        started_at,
        trial_ends_at,
        current_period_end,
        paused_at,
        cancelled_at,
        ended_at,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
),

final as (
    select
        subscription_id,
        organization_id,
        account_id,
        product_id,
        replaces_subscription_id,
        plan_tier,
        billing_interval,
        interval_count,
        quantity,
        unit_amount,
        discount_pct,
        currency,
        status,
        started_at,
        trial_ends_at,
        current_period_end,
        paused_at,
        cancelled_at,
        ended_at,
        greatest(
            div(timestamp_diff(least(coalesce(ended_at, {{ as_of() }}), {{ as_of() }}), started_at, microsecond), 86400000000),
            0
        ) as duration_days,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from renamed
)

select * from final
