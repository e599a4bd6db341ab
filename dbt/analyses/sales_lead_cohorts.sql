select
    organization_id,
    cohort_month,
    months_since,
    lead_count,
    retention_pct,
    progression_pct
from {{ ref('mart_cohort_retention') }}
where months_since in (3, 6, 12)
order by organization_id, cohort_month, months_since
