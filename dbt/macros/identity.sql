{#- The rank of a system as text: systems of the var `account_systems` in its order, then all others by name. An account may be matched to an account
    of a system with a lower rank. -#}
{% macro system_rank(column) -%}
    concat(
        case {{ column }}
            {%- for system in var('account_systems') %}
            when '{{ system }}' then '{{ '%03d' | format(loop.index) }} '
            {%- endfor %}
            else '999 '
        end,
        {{ column }}
    )
{%- endmacro %}


{#- The host of an internet domain or URL, without `www.`. NULL if there is none. -#}
{% macro domain_of(column) -%}
    regexp_extract(lower(trim({{ column }})), r'^(?:[a-z][a-z0-9+.-]*://)?(?:www\.)?([^/:?#@\s]+\.[^/:?#@\s.]+)')
{%- endmacro %}


{#- The domain of an e-mail address. NULL if it has none, or if it belongs to a public mail provider. -#}
{% macro company_mail_domain(column) -%}
    {%- set domain -%}
        regexp_extract(lower(trim({{ column }})), r'@([^@\s]+\.[^@\s.]+)$')
    {%- endset -%}
    if({{ domain }} in ('{{ var('public_mail_domains') | join("', '") }}'), null, {{ domain }})
{%- endmacro %}


{#- A company name for comparison: lower case, letters and digits only, without the legal form at its end. NULL if nothing is left. -#}
{% macro comparable_name(column) -%}
    nullif(
        regexp_replace(
            regexp_replace(lower(trim({{ column }})), r'(?:[\s,.]+(?:{{ var('legal_forms') | join('|') }})\.?)+$', ''),
            r'[^\p{L}\p{N}]+',
            ''
        ),
        ''
    )
{%- endmacro %}
