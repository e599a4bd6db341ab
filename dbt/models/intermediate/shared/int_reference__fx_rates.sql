{#- A currency's rate is compared with the rates before it, as many as `rates` names with its own. -#}
{%- set confirmations = var('fx_rate_confirmations') -%}
{%- set rates = 2 * confirmations + 1 -%}
with

published as (
    select
        currency,
        rate_date,
        rate_to_usd
    from {{ ref('conformed_fx_rates') }}
    where currency != 'USD'
),

compared as (
    select
        currency,
        rate_date,
        least(row_number() over currency_history, {{ rates }}) as compared_rate_count,
        1
        {%- for ago in range(1, rates) %}
        + if(
            abs(rate_to_usd - lag(rate_to_usd, {{ ago }}) over currency_history) * 100
            <= lag(rate_to_usd, {{ ago }}) over currency_history * {{ var('fx_rate_max_jump_pct') }},
            1, 0
        )
        {%- endfor %} as similar_rate_count
    from published
    where rate_to_usd > 0
    window currency_history as (partition by currency order by rate_date)
),

final as (
    select
        published.currency,
        published.rate_date,
        published.rate_to_usd,
        compared.compared_rate_count,
        compared.similar_rate_count,
        case
            when published.rate_to_usd is null then 'missing'
            when published.rate_to_usd <= 0 then 'not_positive'
            when 2 * compared.similar_rate_count <= compared.compared_rate_count then 'jump'
        end as rejection_reason
    from published
    left join compared
        on compared.currency = published.currency
        and compared.rate_date = published.rate_date
)

select *
from final
