{{
    config(
        partition_by={'field': 'month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'facility_id']
    )
}}
{%- set grain = ['organization_id', 'facility_id', 'month'] -%}
with

facilities as (
    select
        organization_id,
        facility_id,
        facility_name
    from {{ ref('dim_facilities') }}
),

checks as (
    select
        organization_id,
        facility_id,
        due_month as month,
        status,
        counts_as,
        due_at,
        completed_at
    from {{ ref('fct_compliance_checks') }}
    where due_month <= {{ last_day_seen() }}
),

counted as (
    select
        {{ grain | join(',\n        ') }},
        count(*) as check_count,
        {{ count_checks('passed') }} as passed_count,
        {{ count_checks('failed') }} as failed_count,
        {{ count_checks('overdue') }} as overdue_count,
        {{ count_known("nullif(counts_as, 'unknown') = 'other' and status = 'pending'") }} as pending_count,
        {{ count_known("nullif(counts_as, 'unknown') = 'other' and status = 'waived'") }} as waived_count,
        countif(counts_as = 'unknown') as unknown_status_check_count,
        case
            when countif(counts_as in ('passed', 'failed')) > 0
                then {{ count_known("if(counts_as in ('passed', 'failed'), completed_at > due_at, null)") }}
            when countif(counts_as != 'unknown') > 0 then 0
        end as completed_late_count
    from checks
    group by {{ grain | join(', ') }}
),

final as (
    select
        {{ generate_surrogate_key(['counted.organization_id', 'counted.facility_id', 'counted.month']) }} as compliance_kpi_key,
        counted.organization_id,
        counted.facility_id,
        coalesce(facilities.facility_name, 'Unknown') as facility_name,
        counted.month,
        {{ month_is_complete('counted.month') }} as is_complete,
        counted.check_count,
        counted.passed_count,
        counted.failed_count,
        counted.overdue_count,
        counted.pending_count,
        counted.waived_count,
        counted.unknown_status_check_count,
        counted.completed_late_count,
        100 * counted.passed_count
        / nullif(counted.passed_count + counted.failed_count + counted.overdue_count, 0) as compliance_rate_pct
    from counted
    left join facilities
        on facilities.organization_id = counted.organization_id
        and facilities.facility_id = counted.facility_id
)

select *
from final
