{{ config(tags=['critical']) }}
-- The stays of a deal follow each other without gap or overlap, each in another stage, and end in one current stay;
-- every deal has one.
with

stays as (
    select
        organization_id,
        deal_id,
        stay_number,
        stage,
        valid_to,
        is_current,
        lead(valid_from) over (partition by organization_id, deal_id order by stay_number) as next_valid_from,
        lead(stage) over (partition by organization_id, deal_id order by stay_number) as next_stage
    from {{ ref('fct_deal_stage_history') }}
),

broken_stays as (
    select
        organization_id,
        deal_id,
        stay_number
    from stays
    where
        is_current != (next_valid_from is null)
        or (not is_current and valid_to is null)
        or valid_to != next_valid_from
        or stage = next_stage
),

deals_without_stay as (
    select
        deals.organization_id,
        deals.deal_id,
        0 as stay_number
    from {{ ref('stg_crm__deals') }} as deals
    left join stays
        on stays.organization_id = deals.organization_id
        and stays.deal_id = deals.deal_id
        and stays.is_current
    where stays.deal_id is null
)

select
    organization_id,
    deal_id,
    stay_number
from broken_stays
union all
select
    organization_id,
    deal_id,
    stay_number
from deals_without_stay
