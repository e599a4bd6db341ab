{{
    config(
        partition_by={'field': 'ticket_date', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'release_version']
    )
}}
with

settings as (
    select
        cast(baseline_days / 7 as int64) as baseline_weeks,
        cast(sd_multiple as float64) as sd_multiple,
        minimum_tickets
    from {{ ref('release_spike_settings') }}
),

releases as (
    select
        organization_id,
        release_key,
        release_version,
        first_seen_date,
        is_watched
    from {{ ref('dim_releases') }}
),

tickets as (
    select
        organization_id,
        release_version,
        created_date
    from {{ ref('fct_tickets') }}
    where created_at < {{ as_of() }}
),

release_counts as (
    select
        organization_id,
        release_version,
        created_date,
        count(*) as ticket_count
    from tickets
    where release_version is not null
    group by organization_id, release_version, created_date
),

day_counts as (
    select
        organization_id,
        created_date,
        count(*) as ticket_count
    from tickets
    group by organization_id, created_date
),

days as (
    select
        releases.organization_id,
        releases.release_key,
        releases.release_version,
        releases.first_seen_date,
        releases.is_watched,
        ticket_date
    from releases
    cross join unnest(generate_date_array(releases.first_seen_date, {{ last_day_seen() }})) as ticket_date
),

first_tickets as (
    select
        organization_id,
        min(created_date) as first_ticket_date,
        count(release_version) > 0 as has_versions
    from tickets
    group by organization_id
),

-- Every observed day is in the baseline of the same weekday in the following weeks.
baseline_days as (
    select
        first_tickets.organization_id,
        observed_date,
        date_add(observed_date, interval 7 * weeks_after day) as ticket_date
    from first_tickets
    cross join unnest(generate_date_array(first_tickets.first_ticket_date, {{ last_day_seen() }})) as observed_date
    cross join settings
    cross join unnest(generate_array(1, settings.baseline_weeks)) as weeks_after
),

-- Sums of integers do not depend on the order of the rows.
baseline_sums as (
    select
        baseline_days.organization_id,
        baseline_days.ticket_date,
        count(*) as day_count,
        sum(coalesce(day_counts.ticket_count, 0)) as ticket_sum,
        sum(coalesce(day_counts.ticket_count * day_counts.ticket_count, 0)) as square_sum
    from baseline_days
    left join day_counts
        on day_counts.organization_id = baseline_days.organization_id
        and day_counts.created_date = baseline_days.observed_date
    group by baseline_days.organization_id, baseline_days.ticket_date
),

baselines as (
    select
        organization_id,
        ticket_date,
        day_count,
        ticket_sum / day_count as mean_tickets,
        sqrt((day_count * square_sum - ticket_sum * ticket_sum) / nullif(day_count * (day_count - 1), 0)) as sd_tickets
    from baseline_sums
),

measured as (
    select
        days.organization_id,
        days.release_key,
        days.release_version,
        days.first_seen_date,
        days.is_watched,
        days.ticket_date,
        if(first_tickets.has_versions, coalesce(release_counts.ticket_count, 0), null) as ticket_count,
        if(first_tickets.organization_id is null, null, coalesce(day_counts.ticket_count, 0)) as all_ticket_count,
        coalesce(baselines.day_count, 0) as baseline_days_observed,
        baselines.mean_tickets as baseline_mean_tickets,
        baselines.sd_tickets as baseline_sd_tickets,
        if(
            baselines.day_count = settings.baseline_weeks,
            baselines.mean_tickets + settings.sd_multiple * baselines.sd_tickets,
            null
        ) as spike_threshold,
        settings.minimum_tickets
    from days
    cross join settings
    left join first_tickets
        on first_tickets.organization_id = days.organization_id
    left join release_counts
        on release_counts.organization_id = days.organization_id
        and release_counts.release_version = days.release_version
        and release_counts.created_date = days.ticket_date
    left join day_counts
        on day_counts.organization_id = days.organization_id
        and day_counts.created_date = days.ticket_date
    left join baselines
        on baselines.organization_id = days.organization_id
        and baselines.ticket_date = days.ticket_date
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'release_version', 'ticket_date']) }} as release_impact_key,
        organization_id,
        release_key,
        release_version,
        is_watched,
        first_seen_date,
        ticket_date,
        date_diff(ticket_date, first_seen_date, day) as days_since_release,
        date_add(ticket_date, interval 1 day) <= {{ as_of_date() }} as is_complete,
        ticket_count,
        all_ticket_count,
        100 * ticket_count / nullif(all_ticket_count, 0) as ticket_share_pct,
        baseline_days_observed,
        baseline_mean_tickets,
        baseline_sd_tickets,
        ticket_count - baseline_mean_tickets as tickets_above_baseline,
        spike_threshold,
        if(spike_threshold is null, null, ticket_count > spike_threshold and ticket_count >= minimum_tickets) as is_spike
    from measured
)

select *
from final
