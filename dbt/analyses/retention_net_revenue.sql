select
    organization_id,
    month,
    nrr_pct,
    grr_pct,
    flow_nrr_pct,
    flow_grr_pct,
    base_account_count,
    base_mrr_amount,
    retained_mrr_amount,
    reporting_currency
from {{ ref('mart_nrr_summary') }}
where dimension = 'total' and is_complete
order by organization_id, month
