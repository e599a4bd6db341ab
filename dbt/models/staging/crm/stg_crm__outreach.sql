{#- Generated from include/sources/crm.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('crm', 'outreach') }}
),

final as (
    select
        'crm' as source_system,
        outreach_id,
        organization_id,
        facility_id,
        rep_user_id,
        lead_id,
        channel,
        sent_at,
        responded_at,
        converted_at,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
