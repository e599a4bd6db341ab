select
    organization_id,
    week_start,
    ticket_count,
    median_response_calendar_minutes / 60 as median_response_hours,
    median_resolution_calendar_minutes / 60 as median_resolution_hours,
    csat_positive_pct,
    sla_violator_count,
    violated_account_count,
    revenue_at_risk_amount,
    reporting_currency
from {{ ref('mtr_weekly_ops') }}
where is_complete
order by organization_id asc, week_start desc
