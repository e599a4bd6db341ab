with

last_month as (
    select max(month) as month
    from {{ ref('mart_top_root_causes') }}
    where is_complete
),

causes as (
    select
        organization_id,
        month,
        category_name,
        category_rank,
        root_cause_name,
        sum(ticket_count) as tickets,
        sum(open_count) as open_tickets,
        sum(ticket_count) / any_value(period_ticket_count) as share_of_month
    from {{ ref('mart_top_root_causes') }}
    where is_complete and category_rank <= 5
    group by organization_id, month, category_id, category_name, category_rank, root_cause_id, root_cause_name
)

select
    causes.organization_id,
    causes.month,
    causes.category_name,
    causes.category_rank,
    causes.root_cause_name,
    causes.tickets,
    100 * causes.share_of_month as share_of_month_pct,
    100 * causes.open_tickets / causes.tickets as open_pct
from causes
inner join last_month
    on last_month.month = causes.month
order by causes.organization_id asc, causes.category_name asc, causes.category_rank asc, causes.root_cause_name asc
