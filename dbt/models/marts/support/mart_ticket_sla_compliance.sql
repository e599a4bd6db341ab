{{
    config(
        partition_by={'field': 'created_month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'facility_id', 'priority']
    )
}}
{%- set grain = ['organization_id', 'facility_id', 'priority', 'created_month'] -%}
{%- set measures = promise_minutes() -%}
with

tickets as (
    select
        organization_id,
        facility_id,
        priority,
        {{ first_day_of('month', 'created_date') }} as created_month,
        is_resolved,
        response_state,
        resolution_state,
        {{ measures | join(',\n        ') }}
    from {{ ref('fct_tickets') }}
),

facilities as (
    select
        organization_id,
        facility_id,
        facility_name
    from {{ ref('dim_facilities') }}
),

with_percentiles as (
    select
        {{ promise_percentiles(grain) }}
        {{ (grain + ['is_resolved', 'response_state', 'resolution_state'] + measures) | join(',\n        ') }}
    from tickets
),

counted as (
    select
        {{ grain | join(',\n        ') }},
        {{ promise_figures() }}
    from with_percentiles
    group by {{ grain | join(', ') }}
),

rated as (
    select
        *,
        100 * response_met_count / nullif(response_met_count + response_breached_count, 0) as response_compliance_pct,
        100 * resolution_met_count / nullif(resolution_met_count + resolution_breached_count, 0)
            as resolution_compliance_pct
    from counted
),

final as (
    select
        {{ surrogate_key(['rated.organization_id', 'rated.facility_id', 'priority', 'created_month']) }}
            as sla_compliance_key,
        rated.organization_id,
        rated.facility_id,
        facilities.facility_name,
        rated.priority,
        rated.created_month,
        {{ month_is_complete('rated.created_month') }} as is_complete,
        {%- for event in ['response', 'resolution'] %}
        {%- for state in ['met', 'breached', 'pending', 'unknown'] %}
        rated.{{ event }}_{{ state }}_count,
        {%- endfor %}
        rated.{{ event }}_compliance_pct,
        {%- for clock in ['calendar', 'business'] %}
        {%- for statistic in ['mean', 'median', 'p75', 'p95'] %}
        rated.{{ statistic }}_{{ event }}_{{ clock }}_minutes,
        {%- endfor %}
        {%- endfor %}
        {%- endfor %}
        rated.ticket_count,
        rated.resolved_count
    from rated
    left join facilities
        on facilities.organization_id = rated.organization_id
        and facilities.facility_id = rated.facility_id
)

select *
from final
