{#- A view that carries the last rates forward to as_of. Refreshes build it again, on the rates that the last nightly
    run loaded. -#}
{{ config(meta={'refresh_every': '5m'}) }}
with

rates as (
    select
        currency,
        rate_date,
        rate_to_usd,
        lead(rate_date) over (partition by currency order by rate_date) as next_rate_date
    from {{ ref('int_reference__fx_rates') }}
    where rejection_reason is null
),

final as (
    select
        rates.currency,
        rate_day,
        rates.rate_to_usd,
        rates.rate_date
    from rates
    cross join
        unnest(
            generate_date_array(
                rates.rate_date,
                least(
                    coalesce(date_sub(rates.next_rate_date, interval 1 day), greatest(rates.rate_date, {{ as_of_date() }})),
                    date_add(rates.rate_date, interval {{ var('fx_rate_valid_days') }} day)
                )
            )
        ) as rate_day
)

select *
from final
