{{ config(cluster_by=['organization_id']) }}
with

organizations as (
    select
        organization_id,
        organization_name,
        timezone as source_timezone,
        reporting_currency,
        created_at,
        updated_at
    from {{ ref('conformed_organizations') }}
),

time_zones as (
    select
        time_zone,
        iana_name
    from {{ ref('time_zones') }}
),

business_hours as (
    select
        organization_id,
        valid_from,
        weekday,
        opens_time,
        closes_time
    from {{ ref('conformed_business_hours') }}
),

holidays as (
    select
        organization_id,
        holiday_date
    from {{ ref('conformed_holidays') }}
),

-- BigQuery fails on a time zone that it does not know. So only names from the seed reach a function of time.
located as (
    select
        organizations.organization_id,
        organizations.organization_name,
        time_zones.iana_name as timezone,
        organizations.source_timezone,
        organizations.reporting_currency,
        organizations.created_at,
        organizations.updated_at
    from organizations
    left join time_zones
        on time_zones.time_zone = {{ category('organizations.source_timezone') }}
),

opening_rules as (
    select
        organization_id,
        valid_from,
        not coalesce(weekday between 1 and 7 and opens_time is not null and closes_time is not null, false) as is_unreadable,
        {{ columns_as_text(["'hours'", 'valid_from', 'weekday', 'opens_time', 'closes_time']) }} as rule
    from business_hours
    union all
    select
        organization_id,
        null as valid_from,
        false as is_unreadable,
        {{ columns_as_text(["'holiday'", 'holiday_date']) }} as rule
    from holidays
    union all
    select
        organization_id,
        null as valid_from,
        false as is_unreadable,
        {{ columns_as_text(["'timezone'", 'timezone']) }} as rule
    from located
),

opening_hours as (
    select
        organization_id,
        min(valid_from) as opening_hours_since,
        logical_or(is_unreadable) as has_unreadable_hours,
        to_hex(md5(string_agg(rule, ';' order by rule))) as opening_hours_fingerprint
    from opening_rules
    group by organization_id
),

final as (
    select
        {{ generate_surrogate_key(['located.organization_id']) }} as organization_key,
        located.organization_id,
        located.organization_name,
        located.timezone,
        located.source_timezone,
        located.reporting_currency,
        opening_hours.opening_hours_since,
        opening_hours.opening_hours_fingerprint,
        case
            when located.timezone is null then 'unknown_time_zone'
            when opening_hours.has_unreadable_hours then 'unreadable_opening_hours'
        end as business_clock_issue,
        located.created_at,
        located.updated_at
    from located
    inner join opening_hours
        on opening_hours.organization_id = located.organization_id
)

select *
from final
