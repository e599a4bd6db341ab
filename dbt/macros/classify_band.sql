{#- The band of every row of a CTE: the body of a CTE with the rows' key and the band, one row per row that falls into one.

    A join of its own, since BigQuery takes an outer join on an equality only: join the result by its key. A bound that is NULL is open; a
    value that is NULL falls into no band.

    bands         a CTE over a seed of bands that do not overlap: `band`, the bound it begins at and the bound it stays under -#}
{% macro classify_band(rows, key, value, bands, band, from_bound, below_bound) -%}
    select
        {%- for column in key %}
        {{ rows }}.{{ column }},
        {%- endfor %}
        {{ bands }}.{{ band }}
    from {{ rows }}
    inner join {{ bands }}
        on ({{ bands }}.{{ from_bound }} is null or {{ rows }}.{{ value }} >= {{ bands }}.{{ from_bound }})
        and ({{ bands }}.{{ below_bound }} is null or {{ rows }}.{{ value }} < {{ bands }}.{{ below_bound }})
    where {{ rows }}.{{ value }} is not null
{%- endmacro %}
