{{ config(tags=['critical']) }}
-- Every facility, rep and month has the four stages of the funnel, in their order. No stage has more leads than the one before.
with

funnel as (
    select
        organization_id,
        facility_id,
        rep_user_id,
        created_month,
        stage,
        stage_order,
        reached_count,
        lag(reached_count) over (
            partition by organization_id, facility_id, rep_user_id, created_month
            order by stage_order
        ) as previous_reached_count,
        count(*) over (partition by organization_id, facility_id, rep_user_id, created_month) as stage_count
    from {{ ref('mart_conversion_funnel') }}
)

select
    organization_id,
    facility_id,
    rep_user_id,
    created_month,
    stage,
    stage_order
from funnel
where
    case stage_order when 1 then 'lead' when 2 then 'sql' when 3 then 'opportunity' when 4 then 'won' else '' end != stage
    or stage_count != 4
    or reached_count > previous_reached_count
