{{ config(cluster_by=['organization_id', 'user_id']) }}
with

-- Facts without a representative point at the row `unknown`, so that the totals by representative add up to the whole.
together as (
    select
        organization_id,
        user_id,
        coalesce(full_name, 'unknown') as full_name,
        email,
        role,
        is_active,
        facility_id,
        created_at,
        updated_at
    from {{ ref('conformed_users') }}
    union all
    select
        organization_id,
        'unknown' as user_id,
        'unknown' as full_name,
        cast(null as string) as email,
        cast(null as string) as role,
        cast(null as bool) as is_active,
        'unknown' as facility_id,
        cast(null as timestamp) as created_at,
        cast(null as timestamp) as updated_at
    from {{ ref('dim_organizations') }}
),

facilities as (
    select
        organization_id,
        facility_id
    from {{ ref('dim_facilities') }}
),

placed as (
    select
        together.organization_id,
        together.user_id,
        together.full_name,
        together.email,
        together.role,
        together.is_active,
        coalesce(facilities.facility_id, 'unknown') as facility_id,
        together.created_at,
        together.updated_at
    from together
    left join facilities
        on facilities.organization_id = together.organization_id
        and facilities.facility_id = together.facility_id
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'user_id']) }} as user_key,
        organization_id,
        user_id,
        full_name,
        email,
        role,
        is_active,
        {{ generate_surrogate_key(['organization_id', 'facility_id']) }} as facility_key,
        facility_id,
        user_id = 'unknown' as is_unknown,
        created_at,
        updated_at
    from placed
)

select *
from final
