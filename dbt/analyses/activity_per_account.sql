select
    organization_id,
    account_id,
    count(*) as activities,
    max(completed_at) as last_completed_at
from {{ ref('fct_activities') }}
where account_id is not null
group by organization_id, account_id
order by organization_id asc, activities desc
