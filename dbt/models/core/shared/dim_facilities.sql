{{ config(cluster_by=['organization_id', 'facility_id']) }}
with

facilities as (
    select
        organization_id,
        facility_id,
        facility_name,
        city,
        region,
        created_at,
        updated_at
    from {{ ref('stg_crm__facilities') }}
),

-- Facts without a facility point at this row, so that the totals by facility add up to the whole.
unknown as (
    select
        organization_id,
        'unknown' as facility_id,
        'Unknown' as facility_name,
        cast(null as string) as city,
        cast(null as string) as region,
        cast(null as timestamp) as created_at,
        cast(null as timestamp) as updated_at
    from {{ ref('dim_organizations') }}
),

together as (
    select *
    from facilities
    union all
    select *
    from unknown
),

final as (
    select
        {{ surrogate_key(['organization_id', 'facility_id']) }} as facility_key,
        organization_id,
        facility_id,
        facility_name,
        city,
        region,
        facility_id = 'unknown' as is_unknown,
        created_at,
        updated_at
    from together
)

select *
from final
