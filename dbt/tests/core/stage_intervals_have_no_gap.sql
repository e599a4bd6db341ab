{{ config(tags=['critical']) }}
-- The stage intervals of a deal follow each other without gap or overlap. Each has another stage than the one before.
-- The last one is the current one.
with

intervals as (
    select
        organization_id,
        deal_id,
        interval_number,
        stage,
        valid_to,
        is_current,
        lead(valid_from) over (partition by organization_id, deal_id order by interval_number) as next_valid_from,
        lead(stage) over (partition by organization_id, deal_id order by interval_number) as next_stage
    from {{ ref('fct_deal_stage_history') }}
)

select
    organization_id,
    deal_id,
    interval_number
from intervals
where
    is_current != (next_valid_from is null)
    or (not is_current and valid_to is null)
    or valid_to != next_valid_from
    or stage = next_stage
