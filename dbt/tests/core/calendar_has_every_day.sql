{{ config(tags=['critical']) }}
-- Every organization has every day to the end of the year after that of as_of, and one unknown facility.
select
    organizations.organization_id,
    count(distinct dates.date_day) as day_count,
    count(distinct if(facilities.is_unknown, facilities.facility_key, null)) as unknown_facility_count
from {{ ref('dim_organizations') }} as organizations
left join {{ ref('dim_date') }} as dates
    on dates.organization_id = organizations.organization_id
left join {{ ref('dim_facilities') }} as facilities
    on facilities.organization_id = organizations.organization_id
    and facilities.is_unknown
group by organizations.organization_id
having
    count(distinct dates.date_day)
    != date_diff(date '{{ as_of_instant().year + 1 }}-12-31', date '{{ var("first_day") }}', day) + 1
    or count(distinct if(facilities.is_unknown, facilities.facility_key, null)) != 1
