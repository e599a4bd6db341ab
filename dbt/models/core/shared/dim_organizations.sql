{{ config(cluster_by=['organization_id']) }}
with

organizations as (
    select
        organization_id,
        organization_name,
        timezone,
        reporting_currency,
        created_at,
        updated_at
    from {{ ref('stg_crm__organizations') }}
),

business_hours as (
    select
        organization_id,
        valid_from,
        weekday,
        opens_at,
        closes_at
    from {{ ref('stg_reference__business_hours') }}
),

holidays as (
    select
        organization_id,
        holiday_date
    from {{ ref('stg_reference__holidays') }}
),

opening_rules as (
    select
        organization_id,
        valid_from,
        {{ columns_as_text(["'hours'", 'valid_from', 'weekday', 'opens_at', 'closes_at']) }} as rule
    from business_hours
    union all
    select
        organization_id,
        null as valid_from,
        {{ columns_as_text(["'holiday'", 'holiday_date']) }} as rule
    from holidays
    union all
    select
        organization_id,
        null as valid_from,
        {{ columns_as_text(["'timezone'", 'timezone']) }} as rule
    from organizations
),

opening_hours as (
    select
        organization_id,
        min(valid_from) as opening_hours_since,
        to_hex(md5(string_agg(rule, ';' order by rule))) as opening_hours_fingerprint
    from opening_rules
    group by organization_id
),

final as (
    select
        {{ surrogate_key(['organizations.organization_id']) }} as organization_key,
        organizations.organization_id,
        organizations.organization_name,
        organizations.timezone,
        organizations.reporting_currency,
        opening_hours.opening_hours_since,
        opening_hours.opening_hours_fingerprint,
        organizations.created_at,
        organizations.updated_at
    from organizations
    inner join opening_hours
        on opening_hours.organization_id = organizations.organization_id
)

select *
from final
