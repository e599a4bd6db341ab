{{ config(tags=['critical']) }}
-- Reconciliation: fct_leads, the funnel, the cohorts and every scenario count the same leads. Every scenario has the sum
-- of their amounts.
with

facts as (
    select
        organization_id,
        count(*) as lead_count,
        -- A lead dated after as_of, by a wrong clock, is in no month yet.
        countif(created_date <= {{ last_day_seen() }}) as cohort_lead_count,
        sum(coalesce(amount_reporting, 0)) as lead_amount
    from {{ ref('fct_leads') }}
    group by organization_id
),

funnel as (
    select
        organization_id,
        'funnel' as counted_in,
        sum(reached_count) as lead_count,
        cast(null as numeric) as lead_amount
    from {{ ref('mart_conversion_funnel') }}
    where stage = 'lead'
    group by organization_id
),

cohorts as (
    select
        organization_id,
        'cohorts' as counted_in,
        sum(lead_count) as lead_count,
        cast(null as numeric) as lead_amount
    from {{ ref('mart_cohort_retention') }}
    where months_since = 0
    group by organization_id
),

scenarios as (
    select
        organization_id,
        scenario as counted_in,
        sum(lead_count) as lead_count,
        sum(lead_amount) as lead_amount
    from {{ ref('mart_weighted_pipeline_scenarios') }}
    group by organization_id, scenario
),

counted as (
    select *
    from funnel
    union all
    select *
    from cohorts
    union all
    select *
    from scenarios
)

select
    coalesce(facts.organization_id, counted.organization_id) as organization_id,
    counted.counted_in,
    facts.lead_count as leads_in_facts,
    counted.lead_count as leads_in_mart,
    facts.lead_amount as amount_in_facts,
    counted.lead_amount as amount_in_mart
from facts
full outer join counted
    on counted.organization_id = facts.organization_id
where
    facts.lead_count is null
    or counted.lead_count is null
    or if(counted.counted_in = 'cohorts', facts.cohort_lead_count, facts.lead_count) != counted.lead_count
    or facts.lead_amount != counted.lead_amount
