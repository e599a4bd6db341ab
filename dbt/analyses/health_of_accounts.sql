select
    organization_id,
    account_name,
    account_category,
    recent_activity_count,
    open_ticket_count,
    recent_ticket_count,
    earlier_ticket_count,
    recent_order_count,
    days_since_last_order,
    open_deal_amount,
    mean_csat_score
from {{ ref('mart_customer_360') }}
where account_category = 'customer'
order by organization_id, account_name
