{#- Generated from include/sources/crm.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ all_versions('crm', 'accounts', undated=true) }}
),

final as (
    select
        'crm' as source_system,
        account_id,
        organization_id,
        parent_account_id,
        merged_into_account_id,
        name,
        domain,
        industry,
        employee_count,
        annual_revenue,
        currency,
        account_type,
        status,
        plan_tier,
        region,
        country,
        city,
        owner_user_id,
        signup_date,
        created_at,
        greatest(coalesce(_restored_at, updated_at), coalesce(updated_at, _restored_at)) as updated_at,
        _is_deleted,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
