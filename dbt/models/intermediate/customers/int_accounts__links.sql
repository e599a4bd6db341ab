with

identities as (
    select
        organization_id,
        account_id,
        matched_account_id
    from {{ ref('dim_account_identity') }}
),

accounts as (
    select
        recorded.organization_id,
        recorded.account_id,
        coalesce(recorded.merged_into_account_id, identities.matched_account_id, recorded.parent_account_id) as next_account_id
    from {{ ref('conformed_accounts') }} as recorded
    left join identities
        on identities.organization_id = recorded.organization_id
        and identities.account_id = recorded.account_id
),

elsewhere as (
    select
        account_id,
        count(distinct organization_id) as organization_count
    from accounts
    group by account_id
),

final as (
    select
        accounts.organization_id,
        accounts.account_id,
        targets.account_id as next_account_id,
        case
            when accounts.next_account_id is null or targets.account_id is not null then null
            when elsewhere.organization_count > 0 then 'other_organization'
            else 'missing_target'
        end as link_issue
    from accounts
    left join accounts as targets
        on targets.organization_id = accounts.organization_id
        and targets.account_id = accounts.next_account_id
    left join elsewhere
        on elsewhere.account_id = accounts.next_account_id
)

select *
from final
