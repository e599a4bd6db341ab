{{ config(cluster_by=['organization_id', 'account_id']) }}
with

versions as (
    {{ unite('accounts', versions=true) }}
),

-- A tombstone ends the version before it. It is no version itself.
present as (
    select
        organization_id,
        account_id,
        row_number() over (partition by organization_id, account_id, _is_deleted order by updated_at) as version_number,
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
        updated_at as valid_from,
        lead(updated_at) over (partition by organization_id, account_id order by updated_at) as valid_to,
        coalesce(
            lead(_is_deleted) over (partition by organization_id, account_id order by updated_at), false
        ) as is_ended_by_deletion
    from versions
    where updated_at is not null
    qualify not _is_deleted
),

accounts as (
    select
        organization_id,
        account_id,
        account_key
    from {{ ref('dim_accounts') }}
),

segment_rules as (
    select
        segment,
        rule_order,
        plan_tier,
        employees_above
    from {{ ref('segment_rules') }}
),

segments as (
    {{ classify_segment('present', 'segment_rules', key=['organization_id', 'account_id', 'version_number']) }}
),

final as (
    select
        {{ generate_surrogate_key([
            'present.organization_id', 'present.account_id', 'present.version_number'
        ]) }} as account_version_key,
        present.organization_id,
        present.account_id,
        accounts.account_key,
        present.version_number,
        present.valid_from,
        present.valid_to,
        present.valid_to is null as is_current,
        present.is_ended_by_deletion,
        present.account_name,
        present.domain,
        present.industry,
        present.employee_count,
        present.annual_revenue,
        present.currency,
        present.account_type,
        present.status,
        coalesce(
            if(present.status in ('churned', 'inactive'), present.status, present.account_type), 'unknown'
        ) as account_category,
        present.plan_tier,
        coalesce(segments.segment, 'unknown') as segment,
        present.region,
        present.country,
        present.city,
        present.owner_user_id,
        present.parent_account_id,
        present.merged_into_account_id,
        present.signup_date
    from present
    left join segments
        on segments.organization_id = present.organization_id
        and segments.account_id = present.account_id
        and segments.version_number = present.version_number
    left join accounts
        on accounts.organization_id = present.organization_id
        and accounts.account_id = present.account_id
)

select *
from final
