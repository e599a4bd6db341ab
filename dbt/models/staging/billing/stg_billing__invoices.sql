{#- Generated from include/sources/billing.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('billing', 'invoices') }}
),

final as (
    select
        'billing' as source_system,
        invoice_id,
        organization_id,
        account_id,
        subscription_id,
        status,
        issued_at,
        due_at,
        paid_at,
        period_start,
        period_end,
        currency,
        subtotal_amount,
        tax_amount,
        total_amount,
        amount_paid,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
