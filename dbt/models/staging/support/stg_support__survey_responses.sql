{#- Generated from include/sources/support.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('support', 'survey_responses') }}
),

final as (
    select
        'support' as source_system,
        response_id,
        organization_id,
        account_id,
        facility_id,
        contact_id,
        ticket_id,
        survey_type,
        score,
        comment,
        sent_at,
        responded_at,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
