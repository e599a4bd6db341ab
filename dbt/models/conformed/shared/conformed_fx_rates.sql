with

source as (
    {{ unite('fx_rates') }}
),

final as (
    select
        rate_date,
        currency,
        rate_to_usd,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
