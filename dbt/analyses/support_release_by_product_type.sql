select
    organization_id,
    release_version,
    product_type,
    count(*) as tickets,
    countif(is_open) as open_tickets,
    avg(resolution_hours) as mean_resolution_hours,
    min(created_date) as first_ticket,
    max(created_date) as last_ticket
from {{ ref('mart_ticket_analytics') }}
where is_release_related
group by organization_id, release_version, product_type
order by organization_id asc, tickets desc
