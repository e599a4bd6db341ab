{{
    config(
        partition_by={'field': 'created_month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'facility_id', 'priority']
    )
}}
{%- set grain = ['organization_id', 'facility_id', 'priority', 'created_month'] -%}
{%- set measures = [
    'response_calendar_minutes', 'response_business_minutes', 'resolution_calendar_minutes', 'resolution_business_minutes'
] -%}
{%- set percentiles = {'median': 0.5, 'p75': 0.75, 'p95': 0.95} -%}
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

-- Exact percentiles exist as window functions only: every ticket carries those of its group.
with_percentiles as (
    select
        {{ (grain + ['is_resolved', 'response_state', 'resolution_state'] + measures) | join(',\n        ') }}
        {%- for measure in measures %}
        {%- for name, share in percentiles.items() %},
        percentile_cont({{ measure }}, {{ share }}) over (partition by {{ grain | join(', ') }}) as {{ name }}_{{ measure }}
        {%- endfor %}
        {%- endfor %}
    from tickets
),

counted as (
    select
        {{ grain | join(',\n        ') }},
        count(*) as ticket_count,
        countif(is_resolved) as resolved_count
        {%- for event in ['response', 'resolution'] %}
        {%- for state in ['met', 'breached', 'pending', 'unknown'] %},
        countif({{ event }}_state = '{{ state }}') as {{ event }}_{{ state }}_count
        {%- endfor %}
        {%- endfor %}
        {%- for measure in measures %},
        avg({{ measure }}) as mean_{{ measure }}
        {%- for name in percentiles %},
        any_value({{ name }}_{{ measure }}) as {{ name }}_{{ measure }}
        {%- endfor %}
        {%- endfor %}
    from with_percentiles
    group by {{ grain | join(', ') }}
),

final as (
    select
        {{ surrogate_key(['counted.organization_id', 'counted.facility_id', 'priority', 'created_month']) }} as sla_compliance_key,
        counted.organization_id,
        counted.facility_id,
        facilities.facility_name,
        counted.priority,
        counted.created_month,
        {{ month_is_complete('counted.created_month') }} as is_complete,
        counted.ticket_count,
        counted.resolved_count
        {%- for event in ['response', 'resolution'] %}
        {%- for state in ['met', 'breached', 'pending', 'unknown'] %},
        counted.{{ event }}_{{ state }}_count
        {%- endfor %},
        100 * counted.{{ event }}_met_count / nullif(counted.{{ event }}_met_count + counted.{{ event }}_breached_count, 0)
            as {{ event }}_compliance_pct
        {%- for clock in ['calendar', 'business'] %}
        {%- for statistic in ['mean', 'median', 'p75', 'p95'] %},
        counted.{{ statistic }}_{{ event }}_{{ clock }}_minutes
        {%- endfor %}
        {%- endfor %}
        {%- endfor %}
    from counted
    left join facilities
        on facilities.organization_id = counted.organization_id
        and facilities.facility_id = counted.facility_id
)

select *
from final
