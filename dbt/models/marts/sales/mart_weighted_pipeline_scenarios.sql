{{
    config(
        partition_by={'field': 'created_month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'scenario', 'facility_id', 'rep_user_id']
    )
}}
{%- set grain = ['organization_id', 'scenario', 'facility_id', 'rep_user_id', 'created_month', 'stage'] -%}
with

leads as (
    select
        organization_id,
        facility_id,
        rep_user_id,
        created_month,
        stage,
        has_rate,
        amount_reporting,
        win_probability,
        stage_weight,
        is_open,
        is_won
    from {{ ref('fct_leads') }}
),

scenarios as (
    select
        scenario,
        apply_probability,
        apply_stage_weight,
        apply_probability or apply_stage_weight as is_weighted,
        include_open
    from {{ ref('pipeline_scenarios') }}
),

organizations as (
    select
        organization_id,
        reporting_currency
    from {{ ref('dim_organizations') }}
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

-- A lost lead counts in no scenario, nor does one of an unknown stage.
leads_by_scenario as (
    select
        leads.organization_id,
        leads.facility_id,
        leads.rep_user_id,
        leads.created_month,
        leads.stage,
        leads.has_rate,
        leads.amount_reporting,
        scenarios.scenario,
        scenarios.is_weighted,
        {{ scenario_toggle('scenarios.apply_probability', true, 'leads.win_probability', '1') }} as probability,
        {{ scenario_toggle('scenarios.apply_stage_weight', true, 'leads.stage_weight', '1') }} as weight,
        leads.is_won or {{ scenario_toggle('scenarios.include_open', true, 'leads.is_open', 'false') }} as is_counted
    from leads
    cross join scenarios
),

counted_leads as (
    select
        {{ grain | join(',\n        ') }},
        is_weighted,
        is_counted,
        has_rate,
        amount_reporting,
        if(is_counted, amount_reporting, null) as counted_amount,
        probability * weight as factor,
        {{ weighted_pipeline_scenario('amount_reporting', 'probability', 'weight', 'is_weighted') }} as pipeline_amount
    from leads_by_scenario
),

sums as (
    select
        {{ grain | join(',\n        ') }},
        count(*) as lead_count,
        {{ count_known('is_counted') }} as counted_lead_count,
        countif(not has_rate) as leads_without_rate,
        sum(amount_reporting) as lead_amount,
        {{ sum_known('is_counted', 'pipeline_amount') }} as pipeline_amount,
        {{ weighted_forecast('counted_amount', 'factor', 'is_weighted') }} as mean_amount
    from counted_leads
    group by {{ grain | join(', ') }}, is_weighted
),

final as (
    select
        {{ generate_surrogate_key([
            'sums.organization_id', 'sums.scenario', 'sums.facility_id', 'sums.rep_user_id', 'sums.created_month', 'sums.stage'
        ]) }} as pipeline_scenario_key,
        sums.organization_id,
        sums.scenario,
        sums.facility_id,
        coalesce(facilities.facility_name, 'Unknown') as facility_name,
        sums.rep_user_id,
        users.full_name as rep_name,
        sums.created_month,
        {{ month_is_complete('sums.created_month') }} as is_complete,
        sums.stage,
        organizations.reporting_currency,
        sums.lead_count,
        sums.counted_lead_count,
        sums.leads_without_rate,
        sums.lead_amount,
        sums.pipeline_amount,
        sums.mean_amount
    from sums
    left join organizations
        on organizations.organization_id = sums.organization_id
    left join facilities
        on facilities.organization_id = sums.organization_id
        and facilities.facility_id = sums.facility_id
    left join users
        on users.organization_id = sums.organization_id
        and users.user_id = sums.rep_user_id
)

select *
from final
