{{ config(cluster_by=['organization_id', 'week_start']) }}
{%- set measures = [
    'response_calendar_minutes', 'response_business_minutes', 'resolution_calendar_minutes', 'resolution_business_minutes'
] -%}
{%- set percentiles = {'median': 0.5, 'p75': 0.75, 'p95': 0.95} -%}
{%- set no_violators = '(counted.ticket_count is null or counted.sla_violator_count = 0)' -%}
with

organizations as (
    select
        organization_id,
        reporting_currency
    from {{ ref('dim_organizations') }}
),

recorded as (
    select
        organization_id,
        has_subscriptions
    from {{ ref('int_organizations__recorded') }}
),

accounts as (
    select
        account_key,
        top_account_key
    from {{ ref('dim_accounts') }}
),

tickets as (
    select
        tickets.organization_id,
        date_sub(
            tickets.created_date, interval mod(extract(dayofweek from tickets.created_date) + 5, 7) day
        ) as week_start,
        accounts.top_account_key,
        tickets.is_open,
        tickets.is_resolved,
        tickets.is_merged,
        tickets.csat_tier,
        if(
            tickets.response_state = 'unknown' and tickets.resolution_state = 'unknown',
            null,
            tickets.response_state = 'breached' or tickets.resolution_state = 'breached'
        ) as is_sla_violator,
        tickets.{{ measures | join(',\n        tickets.') }}
    from {{ ref('fct_tickets') }} as tickets
    left join accounts
        on accounts.account_key = tickets.account_key
    where tickets.created_at < {{ as_of() }}
),

-- BigQuery has exact percentiles only as window functions. So every ticket carries the percentiles of its week.
with_percentiles as (
    select
        {%- for measure in measures %}
        {%- for name, share in percentiles.items() %}
        percentile_cont({{ measure }}, {{ share }}) over (partition by organization_id, week_start)
            as {{ name }}_{{ measure }},
        {%- endfor %}
        {%- endfor %}
        organization_id,
        week_start,
        top_account_key,
        is_open,
        is_resolved,
        is_merged,
        csat_tier,
        is_sla_violator,
        {{ measures | join(',\n        ') }}
    from tickets
),

counted as (
    select
        organization_id,
        week_start,
        count(*) as ticket_count,
        {{ count_known('is_resolved') }} as resolved_count,
        {{ count_known('if(is_resolved is null, null, is_merged)') }} as merged_ticket_count,
        countif(is_open is null) as unknown_status_ticket_count,
        {%- for measure in measures %}
        {{ exact_mean(measure) }} as mean_{{ measure }},
        {%- for name in percentiles %}
        any_value({{ name }}_{{ measure }}) as {{ name }}_{{ measure }},
        {%- endfor %}
        {%- endfor %}
        countif(csat_tier is not null) as csat_response_count,
        {{ count_known("csat_tier = 'satisfied'") }} as satisfied_count,
        {{ count_known('is_sla_violator') }} as sla_violator_count,
        {{ count_known('if(is_sla_violator is null, null, is_sla_violator and top_account_key is null)') }}
            as violators_without_account
    from with_percentiles
    group by organization_id, week_start
),

-- A customer with several violators in a week is at risk once.
violated as (
    select distinct
        organization_id,
        week_start,
        {{ first_day_of('month', 'week_start') }} as month,
        top_account_key
    from tickets
    where is_sla_violator and top_account_key is not null
),

at_risk as (
    select
        violated.organization_id,
        violated.week_start,
        count(*) as violated_account_count,
        sum({{ zero_without_rows('recorded.has_subscriptions', 'revenue.account_key', 'revenue.mrr_amount') }})
            as revenue_at_risk_amount,
        sum({{ zero_without_rows(
            'recorded.has_subscriptions', 'revenue.account_key', 'revenue.subscriptions_without_rate'
        ) }}) as subscriptions_without_rate
    from violated
    left join recorded
        on recorded.organization_id = violated.organization_id
    left join {{ ref('fct_revenue') }} as revenue
        on revenue.organization_id = violated.organization_id
        and revenue.account_key = violated.top_account_key
        and revenue.month = violated.month
    group by violated.organization_id, violated.week_start
),

histories as (
    select
        organization_id,
        min(week_start) as first_week
    from tickets
    group by organization_id
),

-- Weeks have no gap: a week without tickets has a row.
weeks as (
    select
        histories.organization_id,
        week_start
    from histories
    cross join
        unnest(generate_date_array(histories.first_week, {{ last_day_seen() }}, interval 7 day)) as week_start
),

final as (
    select
        {{ generate_surrogate_key(['weeks.organization_id', 'weeks.week_start']) }} as weekly_ops_key,
        weeks.organization_id,
        weeks.week_start,
        extract(isoyear from weeks.week_start) as iso_year,
        extract(isoweek from weeks.week_start) as iso_week,
        date_add(weeks.week_start, interval 7 day) <= {{ as_of_date() }} as is_complete,
        organizations.reporting_currency,
        coalesce(counted.ticket_count, 0) as ticket_count,
        if(counted.ticket_count is null, 0, counted.resolved_count) as resolved_count,
        if(counted.ticket_count is null, 0, counted.merged_ticket_count) as merged_ticket_count,
        coalesce(counted.unknown_status_ticket_count, 0) as unknown_status_ticket_count,
        counted.mean_response_calendar_minutes,
        counted.median_response_calendar_minutes,
        counted.p75_response_calendar_minutes,
        counted.p95_response_calendar_minutes,
        counted.mean_response_business_minutes,
        counted.median_response_business_minutes,
        counted.p75_response_business_minutes,
        counted.p95_response_business_minutes,
        counted.mean_resolution_calendar_minutes,
        counted.median_resolution_calendar_minutes,
        counted.p75_resolution_calendar_minutes,
        counted.p95_resolution_calendar_minutes,
        counted.mean_resolution_business_minutes,
        counted.median_resolution_business_minutes,
        counted.p75_resolution_business_minutes,
        counted.p95_resolution_business_minutes,
        coalesce(counted.csat_response_count, 0) as csat_response_count,
        if(counted.ticket_count is null, 0, counted.satisfied_count) as satisfied_count,
        100 * counted.satisfied_count / nullif(counted.csat_response_count, 0) as csat_positive_pct,
        if(counted.ticket_count is null, 0, counted.sla_violator_count) as sla_violator_count,
        if(counted.ticket_count is null, 0, counted.violators_without_account) as violators_without_account,
        -- Without violators no account is at risk. If no violator names its account, nobody knows which ones are.
        if({{ no_violators }}, 0, at_risk.violated_account_count) as violated_account_count,
        if({{ no_violators }} and recorded.has_subscriptions, 0, at_risk.revenue_at_risk_amount) as revenue_at_risk_amount,
        if({{ no_violators }} and recorded.has_subscriptions, 0, at_risk.subscriptions_without_rate)
            as subscriptions_without_rate
    from weeks
    left join counted
        on counted.organization_id = weeks.organization_id
        and counted.week_start = weeks.week_start
    left join at_risk
        on at_risk.organization_id = weeks.organization_id
        and at_risk.week_start = weeks.week_start
    left join organizations
        on organizations.organization_id = weeks.organization_id
    left join recorded
        on recorded.organization_id = weeks.organization_id
)

select *
from final
