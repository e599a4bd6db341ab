{{
    config(
        partition_by={'field': 'month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'root_cause_id', 'category_id']
    )
}}
{%- set grain = ['organization_id', 'month', 'root_cause_id', 'category_id', 'product_category'] -%}
{%- set names = ['root_cause_code', 'root_cause_name', 'root_cause_category', 'category_name', 'parent_category_name'] -%}
{%- set channels = ['email', 'chat', 'phone', 'social', 'web', 'app'] -%}
{%- set percentiles = {'median': 0.5, 'p75': 0.75, 'p95': 0.95} -%}
{%- set period_ticket_count = 'sum(counted.ticket_count) over (partition by counted.organization_id, counted.month)' -%}
with

tickets as (
    select
        organization_id,
        created_month as month,
        root_cause_id,
        category_id,
        product_category,
        {%- for name in names %}
        {{ name }},
        {%- endfor %}
        if(
            channel in ('{{ channels | join("', '") }}'),
            channel,
            'unknown'
        ) as channel,
        is_open,
        is_resolved,
        is_merged,
        resolution_calendar_minutes,
        csat_tier,
        csat_score,
        is_release_related
    from {{ ref('mart_ticket_analytics') }}
),

-- BigQuery has exact percentiles only as window functions. So every ticket carries the percentiles of its group.
with_percentiles as (
    select
        {%- for name, share in percentiles.items() %}
        percentile_cont(resolution_calendar_minutes, {{ share }}) over (partition by {{ grain | join(', ') }})
            as {{ name }}_resolution_minutes,
        {%- endfor %}
        {{ (grain + names) | join(',\n        ') }},
        channel,
        is_open,
        is_resolved,
        is_merged,
        resolution_calendar_minutes,
        csat_tier,
        csat_score,
        is_release_related
    from tickets
),

counted as (
    select
        {{ grain | join(',\n        ') }},
        {%- for name in names %}
        any_value({{ name }}) as {{ name }},
        {%- endfor %}
        {{ exact_mean('resolution_calendar_minutes') }} / 60 as mean_resolution_hours,
        {%- for name in percentiles %}
        any_value({{ name }}_resolution_minutes) / 60 as {{ name }}_resolution_hours,
        {%- endfor %}
        {%- for channel in channels %}
        {{ count_known("nullif(channel, 'unknown') = '" ~ channel ~ "'") }} as {{ channel }}_count,
        {%- endfor %}
        countif(channel = 'unknown') as unknown_count,
        count(*) as ticket_count,
        {{ count_known('is_resolved') }} as resolved_count,
        {{ count_known('if(is_resolved is null, null, is_merged)') }} as merged_ticket_count,
        {{ count_known('is_open') }} as open_count,
        countif(is_open is null) as unknown_status_ticket_count,
        countif(csat_tier is not null) as csat_response_count,
        {{ count_known("csat_tier = 'satisfied'") }} as satisfied_count,
        sum(if(csat_tier is not null, csat_score, 0)) as csat_score_sum,
        {{ count_known('is_release_related') }} as release_related_count,
        countif(is_release_related is null) as unknown_version_ticket_count
    from with_percentiles
    group by {{ grain | join(', ') }}
),

causes_of_month as (
    select
        organization_id,
        month,
        root_cause_id,
        rank() over (partition by organization_id, month order by sum(ticket_count) desc) as month_rank
    from counted
    where root_cause_id != 'unknown'
    group by organization_id, month, root_cause_id
),

causes_of_category as (
    select
        organization_id,
        month,
        category_id,
        root_cause_id,
        rank() over (partition by organization_id, month, category_id order by sum(ticket_count) desc) as category_rank
    from counted
    where root_cause_id != 'unknown'
    group by organization_id, month, category_id, root_cause_id
),

final as (
    select
        {{ generate_surrogate_key([
            'counted.organization_id', 'counted.month', 'counted.root_cause_id', 'counted.category_id',
            'counted.product_category'
        ]) }} as top_root_cause_key,
        counted.organization_id,
        counted.month,
        extract(year from counted.month) as year,
        extract(quarter from counted.month) as quarter,
        {{ month_is_complete('counted.month') }} as is_complete,
        counted.root_cause_id,
        counted.root_cause_code,
        counted.root_cause_name,
        counted.root_cause_category,
        counted.category_id,
        counted.category_name,
        counted.parent_category_name,
        counted.product_category,
        counted.ticket_count,
        {{ period_ticket_count }} as period_ticket_count,
        100 * counted.ticket_count / {{ period_ticket_count }} as period_share_pct,
        counted.open_count,
        100 * counted.open_count / nullif(counted.ticket_count - counted.unknown_status_ticket_count, 0) as open_pct,
        counted.resolved_count,
        counted.merged_ticket_count,
        counted.unknown_status_ticket_count,
        counted.mean_resolution_hours,
        counted.median_resolution_hours,
        counted.p75_resolution_hours,
        counted.p95_resolution_hours,
        counted.csat_response_count,
        counted.satisfied_count,
        100 * counted.satisfied_count / nullif(counted.csat_response_count, 0) as satisfied_pct,
        counted.csat_score_sum / nullif(counted.csat_response_count, 0) as mean_csat_score,
        counted.email_count,
        100 * counted.email_count / counted.ticket_count as email_pct,
        counted.chat_count,
        100 * counted.chat_count / counted.ticket_count as chat_pct,
        counted.phone_count,
        100 * counted.phone_count / counted.ticket_count as phone_pct,
        counted.social_count,
        100 * counted.social_count / counted.ticket_count as social_pct,
        counted.web_count,
        100 * counted.web_count / counted.ticket_count as web_pct,
        counted.app_count,
        100 * counted.app_count / counted.ticket_count as app_pct,
        counted.unknown_count,
        100 * counted.unknown_count / counted.ticket_count as unknown_pct,
        counted.release_related_count,
        counted.unknown_version_ticket_count,
        100 * counted.release_related_count / nullif(counted.ticket_count - counted.unknown_version_ticket_count, 0)
            as release_related_pct,
        causes_of_month.month_rank,
        causes_of_category.category_rank
    from counted
    left join causes_of_month
        on causes_of_month.organization_id = counted.organization_id
        and causes_of_month.month = counted.month
        and causes_of_month.root_cause_id = counted.root_cause_id
    left join causes_of_category
        on causes_of_category.organization_id = counted.organization_id
        and causes_of_category.month = counted.month
        and causes_of_category.category_id = counted.category_id
        and causes_of_category.root_cause_id = counted.root_cause_id
)

select *
from final
