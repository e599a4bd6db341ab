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

-- BigQuery has an exact median only as a window function. So every message carries the median of its group.
outreach as (
    select
        organization_id,
        facility_id,
        sent_month as month,
        rep_user_id,
        lead_id,
        is_responded,
        is_converted,
        hours_to_response,
        percentile_cont(hours_to_response, 0.5) over (partition by organization_id, facility_id, sent_month)
            as median_hours_to_response
    from {{ ref('fct_outreach') }}
    where sent_at < {{ as_of() }}
),

counted as (
    select
        {{ grain | join(',\n        ') }},
        count(*) as outreach_count,
        {{ count_known('is_responded') }} as responded_count,
        {{ count_known('is_converted') }} as converted_count,
        nullif(count(distinct if(rep_user_id != 'unknown', rep_user_id, null)), 0) as rep_count,
        countif(rep_user_id = 'unknown') as outreach_without_rep,
        nullif(count(distinct lead_id), 0) as lead_count,
        {{ exact_mean('hours_to_response') }} as mean_hours_to_response,
        any_value(median_hours_to_response) as median_hours_to_response
    from outreach
    group by {{ grain | join(', ') }}
),

final as (
    select
        {{ generate_surrogate_key(['counted.organization_id', 'counted.facility_id', 'counted.month']) }} as outreach_kpi_key,
        counted.organization_id,
        counted.facility_id,
        coalesce(facilities.facility_name, 'Unknown') as facility_name,
        counted.month,
        {{ month_is_complete('counted.month') }} as is_complete,
        counted.outreach_count,
        counted.responded_count,
        counted.converted_count,
        100 * counted.responded_count / nullif(counted.outreach_count, 0) as response_rate_pct,
        100 * counted.converted_count / nullif(counted.outreach_count, 0) as conversion_rate_pct,
        counted.rep_count,
        counted.outreach_without_rep,
        counted.lead_count,
        counted.mean_hours_to_response,
        counted.median_hours_to_response
    from counted
    left join facilities
        on facilities.organization_id = counted.organization_id
        and facilities.facility_id = counted.facility_id
)

select *
from final
