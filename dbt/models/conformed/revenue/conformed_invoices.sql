with

source as (
    {{ unite('invoices') }}
),

renamed as (
    select
        invoice_id,
        organization_id,
        account_id,
        subscription_id,
        {{ category('status') }} as status,
        issued_at,
        due_at,
        paid_at,
        period_start,
        period_end,
        {{ currency_code('currency') }} as currency,
        subtotal_amount,
        tax_amount,
        total_amount,
        amount_paid,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
),

final as (
    select
        invoice_id,
        organization_id,
        account_id,
        subscription_id,
        status,
        status = 'paid' as is_paid,
        status = 'open' and due_at < {{ as_of() }} as is_overdue,
        issued_at,
        date_trunc(date(issued_at), month) as invoice_month,
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
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from renamed
)

select * from final
