{#- The last day of which the run sees anything: the day of the instant just before as_of. -#}
{% macro last_day_seen() -%}
    date '{{ (as_of_instant() - modules.datetime.timedelta(microseconds=1)).strftime("%Y-%m-%d") }}'
{%- endmacro %}


{#- The start of the day that is `days` days before the day of as_of. It is a literal, so that BigQuery prunes partitions by it. -#}
{% macro start_of_day_before_as_of(days) -%}
    timestamp '{{ (as_of_instant() - modules.datetime.timedelta(days=days)).strftime("%Y-%m-%d") }} 00:00:00+00:00'
{%- endmacro %}


{#- Whether the calendar month that begins on a DATE has ended at as_of. -#}
{% macro month_is_complete(month) -%}
    date_add({{ month }}, interval 1 month) <= {{ as_of_date() }}
{%- endmacro %}


{#- Whether the calendar year of a DATE has ended at as_of. -#}
{% macro year_is_complete(day) -%}
    date_add({{ first_day_of('year', day) }}, interval 1 year) <= {{ as_of_date() }}
{%- endmacro %}


{#- The first day of the month, quarter or year of a DATE, as a DATE. -#}
{% macro first_day_of(unit, day) -%}
    cast(date_trunc({{ day }}, {{ unit }}) as date)
{%- endmacro %}
