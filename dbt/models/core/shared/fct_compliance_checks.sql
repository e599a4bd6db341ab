{{
    config(
        partition_by={'field': 'due_date', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'facility_id']
    )
}}
with

checks as (
    select *
    from {{ ref('conformed_compliance_checks') }}
),

facilities as (
    select
        organization_id,
        facility_id
    from {{ ref('dim_facilities') }}
),

placed as (
    select
        checks.organization_id,
        checks.check_id,
        coalesce(facilities.facility_id, 'unknown') as facility_id,
        checks.check_type,
        checks.status,
        checks.is_overdue,
        checks.due_at,
        if(checks.completed_at < {{ as_of() }}, checks.completed_at, null) as completed_at,
        checks.updated_at
    from checks
    left join facilities
        on facilities.organization_id = checks.organization_id
        and facilities.facility_id = checks.facility_id
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'check_id']) }} as check_key,
        organization_id,
        check_id,
        {{ generate_surrogate_key(['organization_id', 'facility_id']) }} as facility_key,
        facility_id,
        check_type,
        status,
        case
            when status in ('passed', 'failed') then status
            when is_overdue then 'overdue'
            when status = 'waived' or (status = 'pending' and not is_overdue) then 'other'
            else 'unknown'
        end as counts_as,
        is_overdue,
        due_at,
        date(due_at) as due_date,
        {{ first_day_of('month', 'date(due_at)') }} as due_month,
        completed_at,
        updated_at
    from placed
)

select *
from final
