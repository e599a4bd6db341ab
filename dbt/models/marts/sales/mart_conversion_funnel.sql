{{
    config(
        partition_by={'field': 'created_month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'facility_id', 'rep_user_id']
    )
}}
{%- set grain = ['organization_id', 'facility_id', 'rep_user_id', 'created_month'] -%}
{%- set funnel = ['lead', 'sql', 'opportunity', 'won'] -%}
with

leads as (
    select
        organization_id,
        facility_id,
        rep_user_id,
        created_month,
        true as reached_lead,
        reached_sql,
        reached_opportunity,
        reached_won,
        is_lost
    from {{ ref('fct_leads') }}
),

facilities as (
    select
        organization_id,
        facility_id,
        facility_name
    from {{ ref('dim_facilities') }}
),

users as (
    select
        organization_id,
        user_id,
        full_name
    from {{ ref('dim_users') }}
),

counted as (
    select
        {{ grain | join(',\n        ') }},
        {%- for stage in funnel %}
        {{ count_known('reached_' ~ stage) }} as reached_{{ stage }}_count,
        {%- endfor %}
        {%- for stage in funnel[:-1] %}
        {{ count_known('is_lost and reached_' ~ stage ~ ' and not reached_' ~ funnel[loop.index]) }} as lost_{{ stage }}_count,
        {%- endfor %}
        {{ count_known('is_lost and reached_won') }} as lost_won_count,
        count(*) as lead_count
    from leads
    group by {{ grain | join(', ') }}
),

by_stage as (
    {%- for stage in funnel %}
    select
        {{ grain | join(',\n        ') }},
        '{{ stage }}' as stage,
        {{ loop.index }} as stage_order,
        lead_count,
        reached_{{ stage }}_count as reached_count,
        {%- if loop.last %}
        cast(null as string) as next_stage,
        cast(null as int64) as next_reached_count,
        {%- else %}
        '{{ funnel[loop.index] }}' as next_stage,
        reached_{{ funnel[loop.index] }}_count as next_reached_count,
        {%- endif %}
        lost_{{ stage }}_count as lost_count
    from counted
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        {{ generate_surrogate_key([
            'by_stage.organization_id', 'by_stage.facility_id', 'by_stage.rep_user_id', 'by_stage.created_month', 'by_stage.stage'
        ]) }} as conversion_funnel_key,
        by_stage.organization_id,
        by_stage.facility_id,
        coalesce(facilities.facility_name, 'Unknown') as facility_name,
        by_stage.rep_user_id,
        users.full_name as rep_name,
        by_stage.created_month,
        {{ month_is_complete('by_stage.created_month') }} as is_complete,
        by_stage.stage,
        by_stage.stage_order,
        by_stage.next_stage,
        by_stage.lead_count,
        by_stage.reached_count,
        by_stage.next_reached_count,
        by_stage.lost_count,
        100 * by_stage.next_reached_count / nullif(by_stage.reached_count, 0) as conversion_to_next_pct,
        100 * by_stage.reached_count / nullif(by_stage.lead_count, 0) as conversion_from_lead_pct
    from by_stage
    left join facilities
        on facilities.organization_id = by_stage.organization_id
        and facilities.facility_id = by_stage.facility_id
    left join users
        on users.organization_id = by_stage.organization_id
        and users.user_id = by_stage.rep_user_id
)

select *
from final
