select
    organization_id,
    cohort_month,
    months_since,
    cohort_account_count,
    logo_retention_pct,
    revenue_retention_pct
from {{ ref('mart_revenue_cohorts') }}
where is_complete and months_since in (3, 6, 12)
order by organization_id, months_since, cohort_month
