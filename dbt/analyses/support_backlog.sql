select
    organization_id,
    priority,
    count(*) as open_tickets,
    countif(resolution_state = 'breached') as breached,
    min(created_at) as oldest
from {{ ref('fct_tickets') }}
where is_open
group by organization_id, priority
order by organization_id asc, open_tickets desc
