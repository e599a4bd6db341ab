{{ config(tags=['critical']) }}
-- Reconciliation: mart_rep_activity_by_channel sums to the outreach of fct_outreach, and every group has a best channel.
with

facts as (
    select
        organization_id,
        count(*) as sent_count,
        countif(is_responded) as responded_count,
        countif(is_converted) as converted_count
    from {{ ref('fct_outreach') }}
    group by organization_id
),

ranked as (
    select
        organization_id,
        sent_count,
        responded_count,
        converted_count,
        min(channel_rank) over (partition by organization_id, facility_id, rep_user_id, sent_month) as best_rank
    from {{ ref('mart_rep_activity_by_channel') }}
),

channels as (
    select
        organization_id,
        sum(sent_count) as sent_count,
        sum(responded_count) as responded_count,
        sum(converted_count) as converted_count,
        max(best_rank) as best_rank
    from ranked
    group by organization_id
)

select
    coalesce(facts.organization_id, channels.organization_id) as organization_id,
    facts.sent_count as sent_in_facts,
    channels.sent_count as sent_in_mart,
    channels.best_rank
from facts
full outer join channels
    on channels.organization_id = facts.organization_id
where
    facts.sent_count is null
    or channels.sent_count is null
    or facts.sent_count != channels.sent_count
    or facts.responded_count != channels.responded_count
    or facts.converted_count != channels.converted_count
    or channels.best_rank != 1
