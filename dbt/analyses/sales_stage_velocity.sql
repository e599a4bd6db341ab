select
    organization_id,
    stage,
    count(*) as stays,
    countif(not is_current) as ended_stays,
    avg(if(is_current, null, days_in_stage)) as mean_days_of_ended_stays,
    countif(movement = 'forward') as entered_forward,
    countif(movement = 'backward') as entered_backward
from {{ ref('fct_deal_stage_history') }}
group by organization_id, stage
order by organization_id asc, stays desc
