{#- Generated from include/sources/crm.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('crm', 'leads') }}
),

final as (
    select
        'crm' as source_system,
        lead_id,
        organization_id,
        facility_id,
        rep_user_id,
        account_id,
        source_channel,
        stage,
        amount,
        currency,
        created_at,
        sql_at,
        opportunity_at,
        closed_at,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
