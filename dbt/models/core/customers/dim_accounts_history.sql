{{ config(cluster_by=['organization_id', 'account_id']) }}
with

versions as (
    {{ all_versions('crm', 'accounts') }}
),

-- A tombstone ends the version before it and is none itself.
stretches as (
    select
        *,
        updated_at as valid_from,
        lead(updated_at) over (partition by account_id order by updated_at) as valid_to,
        lead(_is_deleted) over (partition by account_id order by updated_at) as is_ended_by_deletion
    from versions
),

living as (
    select
        organization_id,
        account_id,
        row_number() over (partition by account_id order by valid_from) as version_number,
        {{ text('name') }} as account_name,
        {{ category('domain') }} as domain,
        {{ text('industry') }} as industry,
        employee_count,
        annual_revenue,
        {{ currency_code('currency') }} as currency,
        {{ category('account_type') }} as account_type,
        {{ category('status') }} as status,
        {{ category('plan_tier') }} as plan_tier,
        {{ text('region') }} as region,
        {{ text('country') }} as country,
        {{ text('city') }} as city,
        owner_user_id,
        parent_account_id,
        merged_into_account_id,
        signup_date,
        valid_from,
        valid_to,
        coalesce(is_ended_by_deletion, false) as is_ended_by_deletion
    from stretches
    where not _is_deleted
),

accounts as (
    select
        organization_id,
        account_id,
        account_key
    from {{ ref('dim_accounts') }}
),

final as (
    select
        {{ surrogate_key(['living.organization_id', 'living.account_id', 'living.version_number']) }} as account_version_key,
        living.organization_id,
        living.account_id,
        accounts.account_key,
        living.version_number,
        living.valid_from,
        living.valid_to,
        living.valid_to is null as is_current,
        living.is_ended_by_deletion,
        living.account_name,
        living.domain,
        living.industry,
        living.employee_count,
        living.annual_revenue,
        living.currency,
        living.account_type,
        living.status,
        if(living.status in ('churned', 'inactive'), living.status, living.account_type) as account_category,
        living.plan_tier,
        living.region,
        living.country,
        living.city,
        living.owner_user_id,
        living.parent_account_id,
        living.merged_into_account_id,
        living.signup_date
    from living
    left join accounts
        on accounts.organization_id = living.organization_id
        and accounts.account_id = living.account_id
)

select *
from final
