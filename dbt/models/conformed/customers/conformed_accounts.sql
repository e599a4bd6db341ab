with

source as (
    {{ unite('accounts') }}
),

final as (
    select
        account_id,
        organization_id,
        parent_account_id,
        merged_into_account_id,
        owner_user_id,
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
        signup_date,
        created_at,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
