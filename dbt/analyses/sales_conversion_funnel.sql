select
    organization_id,
    created_month,
    stage,
    sum(reached_count) as reached,
    100 * safe_divide(sum(next_reached_count), sum(reached_count)) as conversion_to_next_pct
from {{ ref('mart_conversion_funnel') }}
group by organization_id, created_month, stage, stage_order
order by organization_id, created_month, stage_order
