{#- Generated from include/sources/support.yml by `python -m include.sources dbt-sources`. Do not edit. -#}
with

source as (
    {{ latest_rows('support', 'tickets') }}
),

final as (
    select
        'support' as source_system,
        ticket_id,
        organization_id,
        account_id,
        contact_id,
        facility_id,
        product_id,
        category_id,
        root_cause_id,
        assignee_user_id,
        channel,
        priority,
        status,
        subject,
        app_version,
        created_at,
        first_responded_at,
        resolved_at,
        reopened_count,
        csat_score,
        merged_into_ticket_id,
        updated_at,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
