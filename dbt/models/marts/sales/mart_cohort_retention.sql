{{ config(cluster_by=['organization_id', 'cohort_month']) }}
with

-- A lead that was lost at an unknown time counts as retained in no month, nor does one of an unknown stage.
leads as (
    select
        organization_id,
        created_month as cohort_month,
        case
            when stage = 'unknown' or (is_lost and closed_at is null) then 0
            when is_lost then date_diff({{ first_day_of('month', 'date(closed_at)') }}, created_month, month)
        end as lost_after_months,
        least(
            coalesce(date(opportunity_at), date '9999-12-31'),
            coalesce(if(is_won, date(closed_at), null), date '9999-12-31')
        ) as progressed_date,
        is_lost and closed_at is null as is_lost_undated,
        stage = 'unknown' as is_unknown_stage,
        reached_opportunity
    from {{ ref('fct_leads') }}
),

-- Leads of a cohort with the same outcome are one row, so that the next steps read few rows.
outcomes as (
    select
        organization_id,
        cohort_month,
        lost_after_months,
        date_diff({{ first_day_of('month', 'progressed_date') }}, cohort_month, month) as progressed_after_months,
        count(*) as lead_count,
        countif(is_lost_undated) as undated_loss_count,
        countif(is_unknown_stage) as unknown_stage_lead_count,
        countif(not reached_opportunity or progressed_date < date '9999-12-31') as known_progress_count
    from leads
    group by organization_id, cohort_month, lost_after_months, progressed_after_months
),

cohorts as (
    select
        organization_id,
        cohort_month,
        sum(lead_count) as lead_count,
        sum(undated_loss_count) as undated_loss_count,
        sum(unknown_stage_lead_count) as unknown_stage_lead_count,
        sum(lead_count - undated_loss_count - unknown_stage_lead_count) as known_loss_count,
        sum(known_progress_count) as known_progress_count
    from outcomes
    group by organization_id, cohort_month
),

-- The last row of a cohort is the month that as_of falls in. Its figures are not known yet.
cells as (
    select
        cohorts.organization_id,
        cohorts.cohort_month,
        month,
        date_diff(month, cohorts.cohort_month, month) as months_since,
        {{ month_is_complete('month') }} as is_complete
    from cohorts
    cross join unnest(generate_date_array(cohorts.cohort_month, {{ last_day_seen() }}, interval 1 month)) as month
),

counted as (
    select
        cells.organization_id,
        cells.cohort_month,
        cells.months_since,
        sum(if(coalesce(outcomes.lost_after_months <= cells.months_since, false), 0, outcomes.lead_count)) as retained_count,
        sum(if(outcomes.progressed_after_months <= cells.months_since, outcomes.lead_count, 0)) as progressed_count
    from cells
    inner join outcomes
        on outcomes.organization_id = cells.organization_id
        and outcomes.cohort_month = cells.cohort_month
    where cells.is_complete
    group by cells.organization_id, cells.cohort_month, cells.months_since
),

-- Of a cohort whose leads say nothing of their loss, or of their progress, the count is unknown.
known_counts as (
    select
        counted.organization_id,
        counted.cohort_month,
        counted.months_since,
        if(cohorts.known_loss_count = 0, null, counted.retained_count) as retained_count,
        if(cohorts.known_progress_count = 0, null, counted.progressed_count) as progressed_count
    from counted
    inner join cohorts
        on cohorts.organization_id = counted.organization_id
        and cohorts.cohort_month = counted.cohort_month
),

final as (
    select
        {{ generate_surrogate_key(['cells.organization_id', 'cells.cohort_month', 'cells.months_since']) }}
            as cohort_retention_key,
        cells.organization_id,
        cells.cohort_month,
        cells.months_since,
        cells.month,
        cells.is_complete,
        cohorts.lead_count,
        cohorts.undated_loss_count,
        cohorts.unknown_stage_lead_count,
        counted.retained_count,
        counted.progressed_count,
        100 * counted.retained_count / nullif(cohorts.lead_count, 0) as retention_pct,
        100 * counted.progressed_count / nullif(cohorts.lead_count, 0) as progression_pct
    from cells
    inner join cohorts
        on cohorts.organization_id = cells.organization_id
        and cohorts.cohort_month = cells.cohort_month
    left join known_counts as counted
        on counted.organization_id = cells.organization_id
        and counted.cohort_month = cells.cohort_month
        and counted.months_since = cells.months_since
)

select *
from final
