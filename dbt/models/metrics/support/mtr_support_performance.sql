{{ config(cluster_by=['organization_id', 'dimension', 'month']) }}
{#- Dimension → its value and its name for a ticket. -#}
{%- set dimensions = {
    'total': ["'total'", "'total'"], 'channel': ['channel', 'channel'], 'category': ['category_id', 'category_name']
} -%}
{%- set grain = ['organization_id', 'month', 'dimension', 'dimension_value'] -%}
{%- set measures = promise_minutes() -%}
{%- set figures = ['is_resolved', 'response_state', 'resolution_state', 'csat_tier', 'csat_score'] + measures -%}
{%- set counts = [
    'ticket_count', 'resolved_count', 'response_met_count', 'response_breached_count', 'response_pending_count',
    'response_unknown_count', 'resolution_met_count', 'resolution_breached_count', 'resolution_pending_count',
    'resolution_unknown_count', 'csat_response_count', 'satisfied_count',
] -%}
with

tickets as (
    select
        organization_id,
        created_month as month,
        coalesce(channel, 'unknown') as channel,
        category_id,
        category_name,
        {{ figures | join(',\n        ') }}
    from {{ ref('mart_ticket_analytics') }}
    where created_at < {{ as_of() }}
),

by_dimension as (
    {%- for dimension, (value, name) in dimensions.items() %}
    select
        organization_id,
        month,
        '{{ dimension }}' as dimension,
        {{ value }} as dimension_value,
        {{ name }} as dimension_name,
        {{ figures | join(',\n        ') }}
    from tickets
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

with_percentiles as (
    select
        {{ promise_percentiles(grain) }}
        *
    from by_dimension
),

counted as (
    select
        {{ grain | join(',\n        ') }},
        {{ promise_figures() }},
        countif(csat_tier is not null) as csat_response_count,
        countif(csat_tier = 'satisfied') as satisfied_count,
        sum(if(csat_tier is not null, csat_score, 0)) as csat_score_sum
    from with_percentiles
    group by {{ grain | join(', ') }}
),

-- Every value from its first month on, without a gap, so that a month without tickets shows as one.
histories as (
    select
        organization_id,
        dimension,
        dimension_value,
        any_value(dimension_name) as dimension_name,
        min(month) as first_month
    from by_dimension
    group by organization_id, dimension, dimension_value
),

totals as (
    select
        organization_id,
        first_month
    from histories
    where dimension = 'total'
),

months as (
    select
        histories.organization_id,
        month,
        histories.dimension,
        histories.dimension_value,
        histories.dimension_name,
        totals.first_month
    from histories
    inner join totals
        on totals.organization_id = histories.organization_id
    cross join
        unnest(generate_date_array(histories.first_month, {{ last_day_seen() }}, interval 1 month)) as month
),

by_month as (
    select
        months.organization_id,
        months.month,
        months.dimension,
        months.dimension_value,
        months.dimension_name,
        {{ month_is_complete('months.month') }} as is_complete,
        months.first_month <= {{ first_day_of('year', 'months.month') }}
        and {{ year_is_complete('months.month') }} as is_year_complete,
        {%- for measure in measures %}
        {%- for statistic in ['mean', 'median', 'p75', 'p95'] %}
        counted.{{ statistic }}_{{ measure }},
        {%- endfor %}
        {%- endfor %}
        {%- for count in counts %}
        coalesce(counted.{{ count }}, 0) as {{ count }},
        {%- endfor %}
        counted.csat_score_sum / nullif(counted.csat_response_count, 0) as mean_csat_score
    from months
    left join counted
        on counted.organization_id = months.organization_id
        and counted.month = months.month
        and counted.dimension = months.dimension
        and counted.dimension_value = months.dimension_value
),

shared as (
    select
        *,
        sum(if(dimension = 'total', ticket_count, 0)) over (partition by organization_id, month) as month_ticket_count
    from by_month
),

final as (
    select
        {{ surrogate_key(grain) }} as support_performance_key,
        organization_id,
        month,
        dimension,
        dimension_value,
        dimension_name,
        is_complete,
        is_year_complete,
        ticket_count,
        month_ticket_count,
        100 * ticket_count / nullif(month_ticket_count, 0) as ticket_share_pct,
        resolved_count,
        {%- for event in ['response', 'resolution'] %}
        {%- for state in ['met', 'breached', 'pending', 'unknown'] %}
        {{ event }}_{{ state }}_count,
        {%- endfor %}
        100 * {{ event }}_met_count / nullif({{ event }}_met_count + {{ event }}_breached_count, 0)
            as {{ event }}_compliance_pct,
        {%- for clock in ['calendar', 'business'] %}
        {%- for statistic in ['mean', 'median', 'p75', 'p95'] %}
        {{ statistic }}_{{ event }}_{{ clock }}_minutes,
        {%- endfor %}
        {%- endfor %}
        {%- endfor %}
        csat_response_count,
        satisfied_count,
        100 * satisfied_count / nullif(csat_response_count, 0) as csat_positive_pct,
        mean_csat_score
    from shared
)

select *
from final
