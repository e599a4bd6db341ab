select
    organization_id,
    month,
    sum(opening_mrr_amount) as opening_mrr,
    sum(new_amount) as new_mrr,
    sum(expansion_amount) as expansion,
    sum(reactivation_amount) as reactivation,
    sum(contraction_amount) as contraction,
    sum(churn_amount) as churn,
    sum(fx_amount) as exchange_rates,
    sum(closing_mrr_amount) as closing_mrr
from {{ ref('mart_mrr_waterfall') }}
where is_complete
group by organization_id, month
order by organization_id, month
