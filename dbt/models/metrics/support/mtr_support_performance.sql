{{ config(cluster_by=['organization_id', 'dimension', 'month']) }}
{#- Dimension → its value and its name for a ticket. -#}
{%- set dimensions = {
    'total': ["'total'", "'total'"], 'channel': ['channel', 'channel'], 'category': ['category_id', 'category_name']
} -%}
{%- set month_ticket_count = "sum(if(dimension = 'total', ticket_count, 0)) over (partition by organization_id, month)" -%}
with

tickets as (
    select
        organization_id,
        created_month as month,
        coalesce(channel, 'unknown') as channel,
        category_id,
        category_name,
        is_resolved,
        response_state,
        resolution_state,
        csat_tier,
        csat_score,
        response_calendar_minutes,
        response_business_minutes,
        resolution_calendar_minutes,
        resolution_business_minutes
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
        is_resolved,
        response_state,
        resolution_state,
        csat_tier,
        csat_score,
        response_calendar_minutes,
        response_business_minutes,
        resolution_calendar_minutes,
        resolution_business_minutes
    from tickets
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

with_percentiles as (
    select
        percentile_cont(response_calendar_minutes, 0.5) over by_grain as median_response_calendar_minutes,
        percentile_cont(response_calendar_minutes, 0.75) over by_grain as p75_response_calendar_minutes,
        percentile_cont(response_calendar_minutes, 0.95) over by_grain as p95_response_calendar_minutes,
        percentile_cont(response_business_minutes, 0.5) over by_grain as median_response_business_minutes,
        percentile_cont(response_business_minutes, 0.75) over by_grain as p75_response_business_minutes,
        percentile_cont(response_business_minutes, 0.95) over by_grain as p95_response_business_minutes,
        percentile_cont(resolution_calendar_minutes, 0.5) over by_grain as median_resolution_calendar_minutes,
        percentile_cont(resolution_calendar_minutes, 0.75) over by_grain as p75_resolution_calendar_minutes,
        percentile_cont(resolution_calendar_minutes, 0.95) over by_grain as p95_resolution_calendar_minutes,
        percentile_cont(resolution_business_minutes, 0.5) over by_grain as median_resolution_business_minutes,
        percentile_cont(resolution_business_minutes, 0.75) over by_grain as p75_resolution_business_minutes,
        percentile_cont(resolution_business_minutes, 0.95) over by_grain as p95_resolution_business_minutes,
        organization_id,
        month,
        dimension,
        dimension_value,
        is_resolved,
        response_state,
        resolution_state,
        csat_tier,
        csat_score,
        response_calendar_minutes,
        response_business_minutes,
        resolution_calendar_minutes,
        resolution_business_minutes
    from by_dimension
    window by_grain as (partition by organization_id, month, dimension, dimension_value)
),

counted as (
    select
        organization_id,
        month,
        dimension,
        dimension_value,
        {{ count_sla_state('response_state', 'met') }} as response_met_count,
        {{ count_sla_state('response_state', 'breached') }} as response_breached_count,
        {{ count_sla_state('response_state', 'pending') }} as response_pending_count,
        countif(response_state = 'unknown') as response_unknown_count,
        {{ count_sla_state('resolution_state', 'met') }} as resolution_met_count,
        {{ count_sla_state('resolution_state', 'breached') }} as resolution_breached_count,
        {{ count_sla_state('resolution_state', 'pending') }} as resolution_pending_count,
        countif(resolution_state = 'unknown') as resolution_unknown_count,
        {{ count_merged() }} as merged_ticket_count,
        100 * countif(is_resolved and response_state = 'met')
        / nullif(countif(is_resolved and response_state in ('met', 'breached')), 0) as resolved_response_compliance_pct,
        100 * countif(is_resolved and resolution_state = 'met')
        / nullif(countif(is_resolved and resolution_state in ('met', 'breached')), 0) as resolved_resolution_compliance_pct,
        {{ exact_mean('response_calendar_minutes') }} as mean_response_calendar_minutes,
        any_value(median_response_calendar_minutes) as median_response_calendar_minutes,
        any_value(p75_response_calendar_minutes) as p75_response_calendar_minutes,
        any_value(p95_response_calendar_minutes) as p95_response_calendar_minutes,
        {{ exact_mean('response_business_minutes') }} as mean_response_business_minutes,
        any_value(median_response_business_minutes) as median_response_business_minutes,
        any_value(p75_response_business_minutes) as p75_response_business_minutes,
        any_value(p95_response_business_minutes) as p95_response_business_minutes,
        {{ exact_mean('resolution_calendar_minutes') }} as mean_resolution_calendar_minutes,
        any_value(median_resolution_calendar_minutes) as median_resolution_calendar_minutes,
        any_value(p75_resolution_calendar_minutes) as p75_resolution_calendar_minutes,
        any_value(p95_resolution_calendar_minutes) as p95_resolution_calendar_minutes,
        {{ exact_mean('resolution_business_minutes') }} as mean_resolution_business_minutes,
        any_value(median_resolution_business_minutes) as median_resolution_business_minutes,
        any_value(p75_resolution_business_minutes) as p75_resolution_business_minutes,
        any_value(p95_resolution_business_minutes) as p95_resolution_business_minutes,
        count(*) as ticket_count,
        {{ count_known('is_resolved') }} as resolved_count,
        countif(csat_tier is not null) as csat_response_count,
        {{ count_known("csat_tier = 'satisfied'") }} as satisfied_count,
        sum(if(csat_tier is not null, csat_score, 0)) as csat_score_sum
    from with_percentiles
    group by organization_id, month, dimension, dimension_value
),

-- Months of every value without a gap from its first month on, so that a month without tickets has a row.
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
        counted.mean_response_calendar_minutes,
        counted.median_response_calendar_minutes,
        counted.p75_response_calendar_minutes,
        counted.p95_response_calendar_minutes,
        counted.mean_response_business_minutes,
        counted.median_response_business_minutes,
        counted.p75_response_business_minutes,
        counted.p95_response_business_minutes,
        counted.mean_resolution_calendar_minutes,
        counted.median_resolution_calendar_minutes,
        counted.p75_resolution_calendar_minutes,
        counted.p95_resolution_calendar_minutes,
        counted.mean_resolution_business_minutes,
        counted.median_resolution_business_minutes,
        counted.p75_resolution_business_minutes,
        counted.p95_resolution_business_minutes,
        coalesce(counted.ticket_count, 0) as ticket_count,
        if(counted.ticket_count is null, 0, counted.resolved_count) as resolved_count,
        if(counted.ticket_count is null, 0, counted.response_met_count) as response_met_count,
        if(counted.ticket_count is null, 0, counted.response_breached_count) as response_breached_count,
        if(counted.ticket_count is null, 0, counted.response_pending_count) as response_pending_count,
        coalesce(counted.response_unknown_count, 0) as response_unknown_count,
        if(counted.ticket_count is null, 0, counted.resolution_met_count) as resolution_met_count,
        if(counted.ticket_count is null, 0, counted.resolution_breached_count) as resolution_breached_count,
        if(counted.ticket_count is null, 0, counted.resolution_pending_count) as resolution_pending_count,
        coalesce(counted.resolution_unknown_count, 0) as resolution_unknown_count,
        if(counted.ticket_count is null, 0, counted.merged_ticket_count) as merged_ticket_count,
        counted.resolved_response_compliance_pct,
        counted.resolved_resolution_compliance_pct,
        coalesce(counted.csat_response_count, 0) as csat_response_count,
        if(counted.ticket_count is null, 0, counted.satisfied_count) as satisfied_count,
        counted.csat_score_sum / nullif(counted.csat_response_count, 0) as mean_csat_score
    from months
    left join counted
        on counted.organization_id = months.organization_id
        and counted.month = months.month
        and counted.dimension = months.dimension
        and counted.dimension_value = months.dimension_value
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'month', 'dimension', 'dimension_value']) }} as support_performance_key,
        organization_id,
        month,
        dimension,
        dimension_value,
        dimension_name,
        is_complete,
        is_year_complete,
        ticket_count,
        {{ month_ticket_count }} as month_ticket_count,
        100 * ticket_count / nullif({{ month_ticket_count }}, 0) as ticket_share_pct,
        resolved_count,
        merged_ticket_count,
        response_met_count,
        response_breached_count,
        response_pending_count,
        response_unknown_count,
        100 * response_met_count / nullif(response_met_count + response_breached_count, 0)
            as response_compliance_pct,
        resolved_response_compliance_pct,
        mean_response_calendar_minutes,
        median_response_calendar_minutes,
        p75_response_calendar_minutes,
        p95_response_calendar_minutes,
        mean_response_business_minutes,
        median_response_business_minutes,
        p75_response_business_minutes,
        p95_response_business_minutes,
        resolution_met_count,
        resolution_breached_count,
        resolution_pending_count,
        resolution_unknown_count,
        100 * resolution_met_count / nullif(resolution_met_count + resolution_breached_count, 0)
            as resolution_compliance_pct,
        resolved_resolution_compliance_pct,
        mean_resolution_calendar_minutes,
        median_resolution_calendar_minutes,
        p75_resolution_calendar_minutes,
        p95_resolution_calendar_minutes,
        mean_resolution_business_minutes,
        median_resolution_business_minutes,
        p75_resolution_business_minutes,
        p95_resolution_business_minutes,
        csat_response_count,
        satisfied_count,
        100 * satisfied_count / nullif(csat_response_count, 0) as csat_positive_pct,
        mean_csat_score
    from by_month
)

select *
from final
