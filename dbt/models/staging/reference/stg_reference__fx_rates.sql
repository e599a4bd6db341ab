with

source as (
    {{ latest_rows(
        'reference',
        'fx_rates',
        key=['rate_date', 'currency'],
        event_time='timestamp(rate_date)'
    ) }}
),

final as (
    select
        rate_date,
        currency,
        rate_to_usd,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
