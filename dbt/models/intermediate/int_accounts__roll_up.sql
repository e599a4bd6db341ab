{#- Chains longer than 2 to the power of `doublings` links are not followed to their end: 64 here, far above any real
    company. Doubling the reach of every link at each step needs no recursion, and meets cycles without looping. -#}
{%- set doublings = 6 -%}
with

accounts as (
    select
        organization_id,
        account_id,
        coalesce(merged_into_account_id, parent_account_id) as next_account_id
    from {{ ref('stg_crm__accounts') }}
),

elsewhere as (
    select
        account_id,
        count(distinct organization_id) as organization_count
    from accounts
    group by account_id
),

-- One link up; an account that is a top, or whose target is not in its organization, links to itself.
links as (
    select
        accounts.organization_id,
        accounts.account_id,
        coalesce(targets.account_id, accounts.account_id) as target_id,
        case
            when accounts.next_account_id is null or targets.account_id is not null then null
            when elsewhere.organization_count > 0 then 'other_organization'
            else 'missing_target'
        end as roll_up_issue,
        coalesce(targets.account_id = accounts.account_id, false) as is_own_target
    from accounts
    left join accounts as targets
        on targets.organization_id = accounts.organization_id
        and targets.account_id = accounts.next_account_id
    left join elsewhere
        on elsewhere.account_id = accounts.next_account_id
),

{%- for step in range(doublings) %}
{%- set before = 'links' if loop.first else 'walk_' ~ step %}
walk_{{ step + 1 }} as (
    select
        near.organization_id,
        near.account_id,
        far.target_id
    from {{ before }} as near
    inner join {{ before }} as far
        on far.organization_id = near.organization_id
        and far.account_id = near.target_id
),
{%- endfor %}

-- After so many links every walk has either reached a top or goes round a cycle, and every account of a cycle is reached.
on_a_cycle as (
    select distinct
        walk_{{ doublings }}.organization_id,
        walk_{{ doublings }}.target_id as account_id
    from walk_{{ doublings }}
    inner join links
        on links.organization_id = walk_{{ doublings }}.organization_id
        and links.account_id = walk_{{ doublings }}.target_id
    where links.target_id != links.account_id or links.is_own_target
),

open_links as (
    select
        links.organization_id,
        links.account_id,
        if(on_a_cycle.account_id is null, links.target_id, links.account_id) as target_id,
        if(on_a_cycle.account_id is null, links.roll_up_issue, 'cycle') as roll_up_issue
    from links
    left join on_a_cycle
        on on_a_cycle.organization_id = links.organization_id
        and on_a_cycle.account_id = links.account_id
),

{%- for step in range(doublings) %}
{%- set before = 'open_links' if loop.first else 'climb_' ~ step %}
climb_{{ step + 1 }} as (
    select
        near.organization_id,
        near.account_id,
        far.target_id
    from {{ before }} as near
    inner join {{ before }} as far
        on far.organization_id = near.organization_id
        and far.account_id = near.target_id
),
{%- endfor %}

final as (
    select
        climb_{{ doublings }}.organization_id,
        climb_{{ doublings }}.account_id,
        climb_{{ doublings }}.target_id as top_account_id,
        open_links.roll_up_issue
    from climb_{{ doublings }}
    inner join open_links
        on open_links.organization_id = climb_{{ doublings }}.organization_id
        and open_links.account_id = climb_{{ doublings }}.account_id
)

select *
from final
