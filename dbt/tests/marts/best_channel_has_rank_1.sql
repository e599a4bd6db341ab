{{ config(tags=['critical']) }}
-- Among the channels of a rep, facility and month, the best has rank 1.
select
    organization_id,
    facility_id,
    rep_user_id,
    sent_month,
    min(channel_rank) as best_rank
from {{ ref('mart_rep_activity_by_channel') }}
group by organization_id, facility_id, rep_user_id, sent_month
having min(channel_rank) != 1
