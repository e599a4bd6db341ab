{#- The key of a row in one column: a hash of its natural key, so that facts and dimensions join on one STRING.
    NULL and '' give different keys. The bar gives ('ab', 'c') and ('a', 'bc') different keys. It has the name of dbt_utils' macro, whose
    hashes are others. -#}
{% macro generate_surrogate_key(columns) -%}
    to_hex(md5({{ columns_as_text(columns) }}))
{%- endmacro %}


{#- Several columns as one text. The text differs if any of the columns differs. -#}
{% macro columns_as_text(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(cast(" ~ column ~ " as string), '<null>')") -%}
    {%- endfor -%}
    concat({{ parts | join(", '|', ") }})
{%- endmacro %}


{#- A hash of many columns of a row. It changes if any of them changes. It is for comparing rows, never for joins. -#}
{% macro fingerprint(columns) -%}
    to_hex(md5(to_json_string(struct({{ columns | join(', ') }}))))
{%- endmacro %}
