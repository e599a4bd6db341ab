{#- An amount in the currency's unit, from one in its smallest unit, such as cents. NULL if it is unknown how many decimals the currency has.

    ISO 4217 says how many decimals a currency has: two, except for those that are named here. Currencies that are no longer in use are named
    too, because old rows have them. -#}
{% macro from_minor_units(amount, currency) -%}
    {%- set code = 'upper(trim(' ~ currency ~ '))' -%}
    cast({{ amount }} / case
            when {{ code }} in (
                'ADP', 'BEF', 'BIF', 'BYB', 'BYR', 'CLP', 'DJF', 'ESP', 'GNF', 'GRD', 'ISK', 'ITL', 'JPY', 'KMF', 'KRW', 'LUF', 'MGF',
                'PTE', 'PYG', 'RWF', 'TPE', 'TRL', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'
            ) then 1
            when {{ code }} in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 1000
            when {{ code }} in ('CLF', 'UYW') then 10000
            when {{ code }} in (
                'XAG', 'XAU', 'XBA', 'XBB', 'XBC', 'XBD', 'XDR', 'XPD', 'XPT', 'XSU', 'XTS', 'XUA', 'XXX'
            ) then null
            when regexp_contains({{ code }}, r'^[A-Z]{3}$') then 100
        end as numeric)
{%- endmacro %}
