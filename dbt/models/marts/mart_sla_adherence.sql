{{
    config(
        partition_by={'field': 'created_month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'priority', 'segment']
    )
}}
{%- set grain = ['organization_id', 'priority', 'segment', 'created_month'] -%}
{%- set measures = [
    'response_calendar_minutes', 'response_business_minutes', 'resolution_calendar_minutes', 'resolution_business_minutes'
] -%}
{%- set percentiles = {'median': 0.5, 'p75': 0.75, 'p95': 0.95} -%}
with

accounts as (
    select
        account_key,
        segment
    from {{ ref('dim_accounts') }}
),

tickets as (
    select
        tickets.organization_id,
        tickets.priority,
        coalesce(accounts.segment, 'unknown') as segment,
        {{ first_day_of('month', 'tickets.created_date') }} as created_month,
        tickets.is_resolved,
        tickets.response_state,
        tickets.resolution_state,
        tickets.{{ measures | join(',\n        tickets.') }}
    from {{ ref('fct_tickets') }} as tickets
    left join accounts
        on accounts.account_key = tickets.account_key
),

-- Exact percentiles exist as window functions only: every ticket carries those of its group.
with_percentiles as (
    select
        {%- for measure in measures %}
        {%- for name, share in percentiles.items() %}
        percentile_cont({{ measure }}, {{ share }}) over (partition by {{ grain | join(', ') }})
            as {{ name }}_{{ measure }},
        {%- endfor %}
        {%- endfor %}
        {{ (grain + ['is_resolved', 'response_state', 'resolution_state'] + measures) | join(',\n        ') }}
    from tickets
),

counted as (
    select
        {{ grain | join(',\n        ') }},
        {%- for event in ['response', 'resolution'] %}
        {%- for state in ['met', 'breached', 'pending', 'unknown'] %}
        countif({{ event }}_state = '{{ state }}') as {{ event }}_{{ state }}_count,
        {%- endfor %}
        {%- endfor %}
        {%- for measure in measures %}
        {{ exact_mean(measure) }} as mean_{{ measure }},
        {%- for name in percentiles %}
        any_value({{ name }}_{{ measure }}) as {{ name }}_{{ measure }},
        {%- endfor %}
        {%- endfor %}
        count(*) as ticket_count,
        countif(is_resolved) as resolved_count
    from with_percentiles
    group by {{ grain | join(', ') }}
),

final as (
    select
        {{ surrogate_key(grain) }} as sla_adherence_key,
        organization_id,
        priority,
        segment,
        created_month,
        {{ month_is_complete('created_month') }} as is_complete,
        ticket_count,
        resolved_count
        {%- for event in ['response', 'resolution'] %}
        {%- for state in ['met', 'breached', 'pending', 'unknown'] %},
        {{ event }}_{{ state }}_count
        {%- endfor %},
        100 * {{ event }}_met_count / nullif({{ event }}_met_count + {{ event }}_breached_count, 0)
            as {{ event }}_compliance_pct
        {%- for clock in ['calendar', 'business'] %}
        {%- for statistic in ['mean', 'median', 'p75', 'p95'] %},
        {{ statistic }}_{{ event }}_{{ clock }}_minutes
        {%- endfor %}
        {%- endfor %}
        {%- endfor %}
    from counted
)

select *
from final
