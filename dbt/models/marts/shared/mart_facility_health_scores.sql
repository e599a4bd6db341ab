{{
    config(
        partition_by={'field': 'month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'facility_id']
    )
}}
{%- set grain = ['organization_id', 'facility_id', 'month'] -%}
{#- Every component counts the same. -#}
{%- set weighted = {
    'compliance_score': 1, 'pipeline_score': 1, 'conversion_score': 1, 'sla_score': 1, 'satisfaction_score': 1
} -%}
{%- set counts = {
    'leads': ['leads_without_rate', 'unknown_stage_lead_count', 'weighted_lead_amount'],
    'checks': ['passed_count', 'failed_count', 'overdue_count'],
    'tickets': ['sla_met_count', 'sla_breached_count'],
    'surveys': [
        'csat_response_count', 'satisfied_count', 'nps_response_count', 'promoter_count', 'detractor_count'
    ],
} -%}
{%- set counted_columns = counts.values() | sum(start=[]) -%}
{%- set recorded = {
    'leads': 'has_leads', 'checks': 'has_compliance_checks', 'tickets': 'has_tickets', 'surveys': 'has_answers'
} -%}
with

settings as (
    select
        conversion_target_pct,
        conversion_months,
        pipeline_base_months,
        pipeline_par_score,
        excellent_from,
        good_from,
        fair_from
    from {{ ref('facility_health_settings') }}
),

organizations as (
    select
        organization_id,
        reporting_currency
    from {{ ref('dim_organizations') }}
),

-- Nobody knows whether the surveys of an organization are answered if none ever was.
answering as (
    select
        organization_id,
        logical_or(is_responded) as has_answers
    from {{ ref('fct_survey_responses') }}
    group by organization_id
),

recorded as (
    select
        kinds.organization_id,
        kinds.has_leads,
        kinds.has_compliance_checks,
        kinds.has_tickets,
        answering.has_answers
    from {{ ref('int_organizations__recorded') }} as kinds
    left join answering
        on answering.organization_id = kinds.organization_id
),

facilities as (
    select
        organization_id,
        facility_id,
        facility_name
    from {{ ref('dim_facilities') }}
),

weighted_leads as (
    select
        organization_id,
        facility_id,
        created_month as month,
        is_won,
        has_rate,
        stage = 'unknown' as is_unknown_stage,
        {{ weighted_pipeline_scenario('amount_reporting', 'win_probability', 'stage_weight', 'true') }}
            as weighted_amount
    from {{ ref('fct_leads') }}
    where created_at < {{ as_of() }}
),

leads as (
    select
        {{ grain | join(',\n        ') }},
        count(*) as lead_count,
        {{ count_known('if(is_unknown_stage, null, is_won)') }} as won_lead_count,
        countif(not has_rate) as leads_without_rate,
        countif(is_unknown_stage) as unknown_stage_lead_count,
        sum(weighted_amount) as weighted_lead_amount
    from weighted_leads
    group by {{ grain | join(', ') }}
),

checks as (
    select
        organization_id,
        facility_id,
        due_month as month,
        {{ count_checks('passed') }} as passed_count,
        {{ count_checks('failed') }} as failed_count,
        {{ count_checks('overdue') }} as overdue_count
    from {{ ref('fct_compliance_checks') }}
    where due_month <= {{ last_day_seen() }}
    group by organization_id, facility_id, due_month
),

tickets as (
    select
        organization_id,
        facility_id,
        {{ first_day_of('month', 'created_date') }} as month,
        {{ count_sla_state('state', 'met') }} as sla_met_count,
        {{ count_sla_state('state', 'breached') }} as sla_breached_count
    from {{ ref('fct_tickets') }}
    cross join unnest([response_state, resolution_state]) as state
    where created_at < {{ as_of() }}
    group by organization_id, facility_id, {{ first_day_of('month', 'created_date') }}
),

surveys as (
    select
        organization_id,
        facility_id,
        responded_month as month,
        countif(survey_type = 'csat' and score_class is not null) as csat_response_count,
        {{ count_known("score_class = 'satisfied'") }} as satisfied_count,
        countif(survey_type = 'nps' and score_class is not null) as nps_response_count,
        {{ count_known("score_class = 'promoter'") }} as promoter_count,
        {{ count_known("score_class = 'detractor'") }} as detractor_count
    from {{ ref('fct_survey_responses') }}
    where is_responded
    group by organization_id, facility_id, responded_month
),

events as (
    {%- for source in counts %}
    select {{ grain | join(', ') }}
    from {{ source }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- Months without a gap, from the first month with a record: a three-month window may have data when the month has none.
histories as (
    select
        organization_id,
        facility_id,
        min(month) as first_month
    from events
    group by organization_id, facility_id
),

first_leads as (
    select
        organization_id,
        facility_id,
        min(month) as first_lead_month
    from leads
    group by organization_id, facility_id
),

months as (
    select
        histories.organization_id,
        histories.facility_id,
        month
    from histories
    cross join
        unnest(generate_date_array(histories.first_month, {{ last_day_seen() }}, interval 1 month)) as month
),

counted as (
    select
        months.organization_id,
        months.facility_id,
        {%- for source, columns in counts.items() %}
        {%- for column in columns %}
        {{ zero_without_rows('recorded.' ~ recorded[source], source ~ '.facility_id', source ~ '.' ~ column) }} as {{ column }},
        {%- endfor %}
        {%- endfor %}
        months.month
    from months
    left join recorded
        on recorded.organization_id = months.organization_id
    {% for source in counts -%}
    left join {{ source }}
        on {{ source }}.organization_id = months.organization_id
        and {{ source }}.facility_id = months.facility_id
        and {{ source }}.month = months.month
    {% endfor -%}
),

conversions as (
    select
        months.organization_id,
        months.facility_id,
        months.month,
        sum(leads.lead_count) as conversion_lead_count,
        sum(leads.won_lead_count) as conversion_won_count
    from months
    cross join settings
    inner join leads
        on leads.organization_id = months.organization_id
        and leads.facility_id = months.facility_id
        and leads.month <= months.month
        and date_diff(months.month, leads.month, month) < settings.conversion_months
    group by months.organization_id, months.facility_id, months.month
),

-- The base is known if all of its months are observed. A month without leads counts 0.
bases as (
    select
        months.organization_id,
        months.facility_id,
        months.month,
        sum(leads.weighted_lead_amount) / any_value(settings.pipeline_base_months) as pipeline_base_amount
    from months
    cross join settings
    inner join first_leads
        on first_leads.organization_id = months.organization_id
        and first_leads.facility_id = months.facility_id
        and date_diff(months.month, first_leads.first_lead_month, month) >= settings.pipeline_base_months
    inner join leads
        on leads.organization_id = months.organization_id
        and leads.facility_id = months.facility_id
        and leads.month < months.month
        and date_diff(months.month, leads.month, month) <= settings.pipeline_base_months
    group by months.organization_id, months.facility_id, months.month
),

rated as (
    select
        counted.organization_id,
        counted.facility_id,
        counted.month,
        counted.{{ counted_columns | join(',\n        counted.') }},
        {{ zero_without_rows('recorded.has_leads', 'conversions.facility_id', 'conversions.conversion_lead_count') }}
            as conversion_lead_count,
        {{ zero_without_rows('recorded.has_leads', 'conversions.facility_id', 'conversions.conversion_won_count') }}
            as conversion_won_count,
        100 * conversions.conversion_won_count / nullif(conversions.conversion_lead_count, 0) as conversion_pct,
        bases.pipeline_base_amount,
        100 * counted.satisfied_count / nullif(counted.csat_response_count, 0) as satisfied_pct,
        100 * (counted.promoter_count - counted.detractor_count) / nullif(counted.nps_response_count, 0) as nps
    from counted
    left join recorded
        on recorded.organization_id = counted.organization_id
    left join conversions
        on conversions.organization_id = counted.organization_id
        and conversions.facility_id = counted.facility_id
        and conversions.month = counted.month
    left join bases
        on bases.organization_id = counted.organization_id
        and bases.facility_id = counted.facility_id
        and bases.month = counted.month
),

scored as (
    select
        rated.organization_id,
        rated.facility_id,
        rated.month,
        rated.{{ counted_columns | join(',\n        rated.') }},
        rated.conversion_lead_count,
        rated.conversion_won_count,
        rated.conversion_pct,
        rated.pipeline_base_amount,
        rated.satisfied_pct,
        rated.nps,
        100 * rated.passed_count / nullif(rated.passed_count + rated.failed_count + rated.overdue_count, 0)
            as compliance_score,
        least(
            100,
            cast(settings.pipeline_par_score as float64) * cast(rated.weighted_lead_amount as float64)
            / nullif(cast(rated.pipeline_base_amount as float64), 0)
        ) as pipeline_score,
        least(100, 100 * rated.conversion_pct / cast(settings.conversion_target_pct as float64)) as conversion_score,
        100 * rated.sla_met_count / nullif(rated.sla_met_count + rated.sla_breached_count, 0) as sla_score,
        case
            when rated.nps is null then rated.satisfied_pct
            when rated.satisfied_pct is null then (rated.nps + 100) / 2
            else (rated.satisfied_pct + (rated.nps + 100) / 2) / 2
        end as satisfaction_score
    from rated
    cross join settings
),

averaged as (
    select
        organization_id,
        facility_id,
        month,
        {{ counted_columns | join(',\n        ') }},
        conversion_lead_count,
        conversion_won_count,
        conversion_pct,
        pipeline_base_amount,
        satisfied_pct,
        nps,
        compliance_score,
        pipeline_score,
        conversion_score,
        sla_score,
        satisfaction_score,
        {{ known_weight(weighted) }} as known_component_count,
        {{ calculate_health_score(weighted) }} as health_score
    from scored
),

final as (
    select
        {{ generate_surrogate_key(['averaged.organization_id', 'averaged.facility_id', 'averaged.month']) }}
            as facility_health_key,
        averaged.organization_id,
        averaged.facility_id,
        coalesce(facilities.facility_name, 'Unknown') as facility_name,
        averaged.month,
        {{ month_is_complete('averaged.month') }} as is_complete,
        organizations.reporting_currency,
        averaged.passed_count,
        averaged.failed_count,
        averaged.overdue_count,
        averaged.compliance_score,
        averaged.weighted_lead_amount,
        averaged.pipeline_base_amount,
        averaged.leads_without_rate,
        averaged.unknown_stage_lead_count,
        averaged.pipeline_score,
        averaged.conversion_lead_count,
        averaged.conversion_won_count,
        averaged.conversion_pct,
        averaged.conversion_score,
        averaged.sla_met_count,
        averaged.sla_breached_count,
        averaged.sla_score,
        averaged.csat_response_count,
        averaged.satisfied_count,
        averaged.satisfied_pct,
        averaged.nps_response_count,
        averaged.promoter_count,
        averaged.detractor_count,
        averaged.nps,
        averaged.satisfaction_score,
        averaged.known_component_count,
        averaged.health_score,
        case
            when averaged.health_score is null then 'unknown'
            when averaged.health_score >= settings.excellent_from then 'excellent'
            when averaged.health_score >= settings.good_from then 'good'
            when averaged.health_score >= settings.fair_from then 'fair'
            else 'poor'
        end as health_tier
    from averaged
    cross join settings
    left join organizations
        on organizations.organization_id = averaged.organization_id
    left join facilities
        on facilities.organization_id = averaged.organization_id
        and facilities.facility_id = averaged.facility_id
)

select *
from final
