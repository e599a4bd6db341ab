{#- Generated from include/sources/crm.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('crm', 'deals') }}
),

final as (
    select
        'crm' as source_system,
        deal_id,
        organization_id,
        account_id,
        contact_id,
        lead_id,
        facility_id,
        owner_user_id,
        name,
        stage,
        amount,
        currency,
        probability_pct,
        expected_close_date,
        closed_at,
        lost_reason,
        created_at,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
