select
    organization_id,
    dimension,
    dimension_value,
    base_account_count,
    retained_account_count,
    nrr_pct,
    grr_pct
from {{ ref('mart_nrr_summary') }}
where dimension in ('segment', 'plan_tier', 'region') and is_complete
qualify month = max(month) over (partition by organization_id)
order by organization_id, dimension, dimension_value
