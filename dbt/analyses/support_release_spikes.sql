select
    organization_id,
    release_version,
    ticket_date,
    days_since_release,
    ticket_count,
    all_ticket_count,
    baseline_mean_tickets,
    spike_threshold
from {{ ref('mart_release_impact') }}
where is_spike
order by organization_id, release_version, ticket_date
