{#- Generated from include/sources/crm.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('crm', 'contacts') }}
),

final as (
    select
        'crm' as source_system,
        contact_id,
        organization_id,
        account_id,
        first_name,
        last_name,
        email,
        phone,
        title,
        is_primary,
        status,
        gender,
        income_segment,
        created_at,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
