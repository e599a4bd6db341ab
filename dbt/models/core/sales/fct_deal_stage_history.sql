{{
    config(
        partition_by={'field': 'valid_from', 'data_type': 'timestamp', 'granularity': 'month'},
        cluster_by=['organization_id', 'deal_id']
    )
}}
with

deals as (
    select
        organization_id,
        deal_id,
        stage,
        amount,
        probability_pct,
        created_at
    from {{ ref('conformed_deals') }}
),

changes as (
    select
        organization_id,
        deal_id,
        history_id,
        from_stage,
        to_stage,
        amount,
        probability_pct,
        changed_by_user_id,
        changed_at,
        row_number() over (partition by organization_id, deal_id order by changed_at, history_id) as change_number
    from {{ ref('clean_deal_stage_history') }}
    where changed_at < {{ as_of() }}
),

stages as (
    select
        stage,
        stage_order,
        is_lost
    from {{ ref('deal_stages') }}
),

-- The interval before the first change has the stage that the change left. Without a change it has the stage of the deal.
entries as (
    select
        deals.organization_id,
        deals.deal_id,
        0 as change_number,
        cast(null as string) as history_id,
        if(changes.history_id is null, deals.stage, changes.from_stage) as stage,
        if(changes.history_id is null, deals.amount, null) as amount,
        if(changes.history_id is null, deals.probability_pct, null) as probability_pct,
        cast(null as string) as changed_by_user_id,
        if(changes.history_id is null, deals.created_at, least(deals.created_at, changes.changed_at)) as entered_at
    from deals
    left join changes
        on changes.organization_id = deals.organization_id
        and changes.deal_id = deals.deal_id
        and changes.change_number = 1
    where changes.history_id is null or changes.from_stage is not null
    union all
    select
        changes.organization_id,
        changes.deal_id,
        changes.change_number,
        changes.history_id,
        changes.to_stage as stage,
        changes.amount,
        changes.probability_pct,
        changes.changed_by_user_id,
        changes.changed_at as entered_at
    from changes
    inner join deals
        on deals.organization_id = changes.organization_id
        and deals.deal_id = changes.deal_id
),

-- A change to the stage that the deal is already in does not count.
moves as (
    select
        organization_id,
        deal_id,
        change_number,
        history_id,
        stage,
        amount,
        probability_pct,
        changed_by_user_id,
        entered_at
    from entries
    qualify
        coalesce(
            lag(stage) over (partition by organization_id, deal_id order by change_number) != stage,
            true
        )
),

intervals as (
    select
        organization_id,
        deal_id,
        history_id,
        stage,
        amount,
        probability_pct,
        changed_by_user_id,
        entered_at,
        row_number() over (partition by organization_id, deal_id order by change_number) as interval_number,
        lag(stage) over (partition by organization_id, deal_id order by change_number) as previous_stage,
        lead(entered_at) over (partition by organization_id, deal_id order by change_number) as left_at
    from moves
),

final as (
    select
        {{ generate_surrogate_key([
            'intervals.organization_id', 'intervals.deal_id', 'intervals.interval_number'
        ]) }} as stage_interval_key,
        intervals.organization_id,
        intervals.deal_id,
        intervals.interval_number,
        coalesce(stages.stage, 'unknown') as stage,
        if(intervals.interval_number = 1, null, coalesce(previous_stages.stage, 'unknown')) as previous_stage,
        case
            when intervals.interval_number = 1 then 'entry'
            when stages.is_lost then 'lost'
            when stages.stage is null or previous_stages.stage is null then 'unknown'
            when stages.stage_order > previous_stages.stage_order then 'forward'
            else 'backward'
        end as movement,
        intervals.entered_at as valid_from,
        intervals.left_at as valid_to,
        intervals.left_at is null as is_current,
        coalesce(intervals.left_at = intervals.entered_at, false) as is_instant,
        timestamp_diff(coalesce(intervals.left_at, {{ as_of() }}), intervals.entered_at, microsecond) / 86400000000
            as days_in_stage,
        intervals.amount,
        cast(intervals.probability_pct as numeric) as probability_pct,
        intervals.changed_by_user_id,
        intervals.history_id,
        intervals.left_at is null and coalesce(intervals.stage != deals.stage, false) as is_stage_mismatch
    from intervals
    inner join deals
        on deals.organization_id = intervals.organization_id
        and deals.deal_id = intervals.deal_id
    left join stages
        on stages.stage = intervals.stage
    left join stages as previous_stages
        on previous_stages.stage = intervals.previous_stage
)

select *
from final
