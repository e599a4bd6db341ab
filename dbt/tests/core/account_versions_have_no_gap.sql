{{ config(tags=['critical'], group='data_platform') }}
-- The versions of an account follow each other without overlap. They have a gap only where the account was deleted. Every
-- account of dim_accounts has one current version, other accounts have none.
with

versions as (
    select
        organization_id,
        account_id,
        version_number,
        valid_to,
        is_current,
        is_ended_by_deletion,
        lead(valid_from) over (partition by organization_id, account_id order by version_number) as next_valid_from
    from {{ ref('dim_accounts_history') }}
),

broken_versions as (
    select
        organization_id,
        account_id,
        version_number
    from versions
    where
        is_current != (valid_to is null)
        or (is_current and next_valid_from is not null)
        or (not is_current and not is_ended_by_deletion and (next_valid_from is null or next_valid_from != valid_to))
        or (is_ended_by_deletion and next_valid_from < valid_to)
),

current_versions as (
    select
        organization_id,
        account_id
    from versions
    where is_current
),

broken_accounts as (
    select
        coalesce(accounts.organization_id, versions.organization_id) as organization_id,
        coalesce(accounts.account_id, versions.account_id) as account_id,
        0 as version_number
    from {{ ref('dim_accounts') }} as accounts
    full outer join current_versions as versions
        on versions.organization_id = accounts.organization_id
        and versions.account_id = accounts.account_id
    where accounts.account_id is null or versions.account_id is null
)

select
    organization_id,
    account_id,
    version_number
from broken_versions
union all
select
    organization_id,
    account_id,
    version_number
from broken_accounts
