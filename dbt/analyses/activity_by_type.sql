select
    organization_id,
    activity_type,
    count(*) as activities,
    100 * safe_divide(countif(status = 'completed'), count(*)) as completion_rate_pct,
    countif(outcome = 'positive') as positive,
    countif(outcome = 'neutral') as neutral,
    countif(outcome = 'negative') as negative,
    countif(outcome = 'no_answer') as no_answer
from {{ ref('fct_activities') }}
group by organization_id, activity_type
order by organization_id asc, activities desc
