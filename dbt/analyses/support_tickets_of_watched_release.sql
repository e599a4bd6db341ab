select
    organization_id,
    release_version,
    product_type,
    created_date,
    ticket_id,
    account_name,
    segment,
    city,
    category_name,
    root_cause_name,
    priority,
    status,
    resolution_hours,
    csat_tier
from {{ ref('mart_ticket_analytics') }}
where is_release_related and product_type = 'software'
order by organization_id, created_date, ticket_id
