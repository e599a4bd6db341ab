{#- The band of each row of a CTE. The macro is the body of a CTE with the key and the band of each row that lies in a band.

    BigQuery accepts an outer join only on an equality, so the bands need this inner join of their own. Join the result by the key.
    A NULL bound is open. A NULL value lies in no band.

    bands         a CTE over a seed of bands that do not overlap: `band`, its lower bound (included) and its upper bound (excluded) -#}
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
