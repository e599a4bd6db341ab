{#- The key of a row in one column: a hash of its natural key, so that facts and dimensions join on one STRING.
    NULL and '' give different keys, and the bar keeps ('ab', 'c') apart from ('a', 'bc'). -#}
{% macro surrogate_key(columns) -%}
    to_hex(md5({{ columns_as_text(columns) }}))
{%- endmacro %}


{#- Several columns as one text that differs whenever any of them does. -#}
{% macro columns_as_text(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(cast(" ~ column ~ " as string), '<null>')") -%}
    {%- endfor -%}
    concat({{ parts | join(", '|', ") }})
{%- endmacro %}


{#- A hash of many columns of a row, that moves when any of them does. For comparing rows, never for joining. -#}
{% macro fingerprint(columns) -%}
    to_hex(md5(to_json_string(struct({{ columns | join(', ') }}))))
{%- endmacro %}
