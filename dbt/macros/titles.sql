{#- A job title in words: lower case, without accents, one space around each word. Rules therefore do not depend on how people type. -#}
{% macro title_in_words(title) -%}
    concat(
        ' ',
        trim(
            regexp_replace(
                regexp_replace(normalize(lower({{ title }}), nfd), r'\p{M}', ''),
                r'[^\p{L}\p{N}]+', ' '
            )
        ),
        ' '
    )
{%- endmacro %}
