{{
    config(
        partition_by={'field': 'created_month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'priority', 'segment']
    )
}}
{%- set grain = ['organization_id', 'priority', 'segment', 'created_month'] -%}
{%- set measures = promise_minutes() -%}
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
