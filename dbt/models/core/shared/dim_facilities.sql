{{ config(cluster_by=['organization_id', 'facility_id']) }}
with

-- Facts without a facility point at the row `unknown`, so that the totals by facility add up to the whole.
together as (
    select
        organization_id,
        facility_id,
        coalesce(facility_name, 'Unknown') as facility_name,
        city,
        region,
        created_at,
        updated_at
    from {{ ref('conformed_facilities') }}
    union all
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

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'facility_id']) }} as facility_key,
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
