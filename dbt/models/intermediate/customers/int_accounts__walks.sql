{#- A walk ends after this number of steps. Without a limit, a walk on a cycle would never end. The limit is far above
    the depth of any real company and below the 500 that BigQuery allows.

    The recursion has a model of its own. BigQuery accepts WITH RECURSIVE only at the top of a statement or a view. A
    contract or a dbt unit test would put the model into a subquery, so tests/dbt/models/test_roll_up.py tests it. -#}
{%- set longest_walk = 64 -%}
with recursive

links as (
    select
        organization_id,
        account_id,
        next_account_id,
        link_issue
    from {{ ref('int_accounts__links') }}
),

final as (
    select
        organization_id,
        account_id,
        link_issue,
        0 as step_count,
        account_id as reached_account_id,
        next_account_id
    from links
    union all
    select
        final.organization_id,
        final.account_id,
        final.link_issue,
        final.step_count + 1 as step_count,
        links.account_id as reached_account_id,
        links.next_account_id
    from final
    inner join links
        on links.organization_id = final.organization_id
        and links.account_id = final.next_account_id
    where final.step_count < {{ longest_walk }}
)

select *
from final
