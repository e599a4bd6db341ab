with

walks as (
    select
        organization_id,
        account_id,
        link_issue,
        step_count,
        reached_account_id,
        next_account_id,
        next_account_id is null as is_end,
        -- An account that the same walk reaches twice lies on a cycle.
        count(*) over (partition by organization_id, account_id, reached_account_id) > 1 as is_on_a_cycle
    from {{ ref('int_accounts__walks') }}
),

-- The first account of each walk that is a top account or lies on a cycle. If there is none, the account itself.
stops as (
    select
        organization_id,
        account_id,
        link_issue,
        step_count,
        reached_account_id,
        is_end
    from walks
    qualify
        row_number() over (
            partition by organization_id, account_id
            order by if(is_end or is_on_a_cycle, 0, 1), step_count
        ) = 1
),

final as (
    select
        organization_id,
        account_id,
        reached_account_id as top_account_id,
        if(step_count = 0 and not is_end, 'cycle', link_issue) as roll_up_issue
    from stops
)

select *
from final
