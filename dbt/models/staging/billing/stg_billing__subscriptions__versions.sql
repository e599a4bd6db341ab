{#- Generated from include/sources/billing.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ all_versions('billing', 'subscriptions', undated=true) }}
),

final as (
    select
        'billing' as source_system,
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
        greatest(coalesce(_restored_at, updated_at), coalesce(updated_at, _restored_at)) as updated_at,
        _is_deleted,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
