select
    organization_id,
    stage,
    count(*) as interval_count,
    countif(not is_current) as ended_interval_count,
    avg(if(is_current, null, days_in_stage)) as mean_days_of_ended_intervals,
    countif(movement = 'forward') as entered_forward,
    countif(movement = 'backward') as entered_backward
from {{ ref('fct_deal_stage_history') }}
group by organization_id, stage
order by organization_id asc, interval_count desc
