{#- An amount in the organization's reporting currency: amount × rate_to_usd(its currency) ÷ rate_to_usd(reporting currency).
    The rate of USD is 1. An amount that is already in the reporting currency needs no rate. NULL if a rate is missing.
    `rate` and `reporting_rate` are the columns that `join_fx_rate` adds. -#}
{% macro to_reporting_currency(amount, currency, reporting_currency, rate, reporting_rate) -%}
    case
        when {{ currency }} = {{ reporting_currency }} then {{ amount }}
        else {{ amount }} * {{ usd_rate(currency, rate) }} / nullif({{ usd_rate(reporting_currency, reporting_rate) }}, 0)
    end
{%- endmacro %}


{#- The rate of a currency to USD. USD itself needs no rate table. -#}
{% macro usd_rate(currency, rate) -%}
    if({{ currency }} = 'USD', numeric '1', {{ rate }})
{%- endmacro %}


{#- Joins the last rate of a currency known on a day, as `alias`, from a CTE over int_reference__fx_rates_daily. A day that the
    run does not see yet has the rate of the run's own day. -#}
{% macro join_fx_rate(rates, alias, currency, day) -%}
    left join {{ rates }} as {{ alias }}
        on {{ alias }}.currency = {{ currency }}
        and {{ alias }}.rate_day = least({{ day }}, {{ as_of_date() }})
{%- endmacro %}


{#- The number of the `counted` rows of fct_orders of which an amount beside the revenue is not recorded. -#}
{% macro count_orders_without_charges(counted) -%}
    countif(
            {{ counted }}
            and (tax_amount_reporting is null or shipping_amount_reporting is null or total_amount_reporting is null)
        )
{%- endmacro %}
