{#- An amount in the organization's reporting currency: amount × rate_to_usd(its currency) ÷ rate_to_usd(reporting
    currency), where USD is 1 and an amount that is in the reporting currency already needs no rate. NULL when a rate
    is missing. `rate` and `reporting_rate` are the columns that `join_fx_rate` brought in. -#}
{% macro to_reporting_currency(amount, currency, reporting_currency, rate, reporting_rate) -%}
    case
        when {{ currency }} = {{ reporting_currency }} then {{ amount }}
        else {{ amount }} * {{ usd_rate(currency, rate) }} / nullif({{ usd_rate(reporting_currency, reporting_rate) }}, 0)
    end
{%- endmacro %}


{#- The rate to USD of a currency, which for USD itself needs no rate table. -#}
{% macro usd_rate(currency, rate) -%}
    if({{ currency }} = 'USD', numeric '1', {{ rate }})
{%- endmacro %}


{#- Joins the last rate of a currency known on a day, as `alias`, from a CTE over int_reference__fx_rates_daily. The days that
    the run does not see yet have no other rate than its own day. -#}
{% macro join_fx_rate(rates, alias, currency, day) -%}
    left join {{ rates }} as {{ alias }}
        on {{ alias }}.currency = {{ currency }}
        and {{ alias }}.rate_day = least({{ day }}, {{ as_of_date() }})
{%- endmacro %}
