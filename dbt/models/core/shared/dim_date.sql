{{ config(cluster_by=['organization_id', 'date_day']) }}
{%- set first_fiscal_month = var('fiscal_year_start_month') | int -%}
with

organizations as (
    select organization_id
    from {{ ref('dim_organizations') }}
),

holidays as (
    select
        organization_id,
        holiday_date,
        holiday_name
    from {{ ref('conformed_holidays') }}
),

-- The days run to the end of the year after the year that as_of falls in.
days as (
    select
        date_day,
        date_sub(date_day, interval mod(extract(dayofweek from date_day) + 5, 7) day) as iso_week_start,
        -- The fiscal year is named after the calendar year that it ends in. The shift moves its beginning to January.
        date_add(
            {{ first_day_of('month', 'date_day') }},
            interval {{ (13 - first_fiscal_month) % 12 }} month
        ) as fiscal_month_shifted
    from
        unnest(
            generate_date_array(date '{{ var("first_day") }}', date '{{ as_of_instant().year + 1 }}-12-31')
        ) as date_day
),

final as (
    select
        {{ generate_surrogate_key(['organizations.organization_id', 'days.date_day']) }} as date_key,
        organizations.organization_id,
        days.date_day,
        extract(year from days.date_day) as year,
        extract(quarter from days.date_day) as quarter,
        extract(month from days.date_day) as month,
        extract(day from days.date_day) as day_of_month,
        extract(dayofyear from days.date_day) as day_of_year,
        format_date('%B', days.date_day) as month_name,
        format_date('%A', days.date_day) as day_name,
        {{ first_day_of('month', 'days.date_day') }} as month_start,
        {{ first_day_of('quarter', 'days.date_day') }} as quarter_start,
        days.iso_week_start,
        extract(isoyear from days.date_day) as iso_year,
        extract(isoweek from days.date_day) as iso_week,
        date_diff(days.date_day, days.iso_week_start, day) + 1 as iso_weekday,
        extract(year from days.fiscal_month_shifted) as fiscal_year,
        extract(quarter from days.fiscal_month_shifted) as fiscal_quarter,
        extract(month from days.fiscal_month_shifted) as fiscal_month,
        date_diff(days.date_day, days.iso_week_start, day) >= 5 as is_weekend,
        holidays.holiday_date is not null as is_holiday,
        holidays.holiday_name
    from organizations
    cross join days
    left join holidays
        on holidays.organization_id = organizations.organization_id
        and holidays.holiday_date = days.date_day
)

select *
from final
