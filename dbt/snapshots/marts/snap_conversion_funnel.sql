{% snapshot snap_conversion_funnel %}
{{
    config(
        unique_key='conversion_funnel_key',
        strategy='check',
        check_cols=['lead_count', 'reached_count', 'next_reached_count', 'lost_count'],
        hard_deletes='invalidate',
        pre_hook=[
            "{{ delete_versions_since_as_of(this) }}",
            "{{ reopen_versions_ended_since_as_of(this) }}",
        ]
    )
}}
select
    conversion_funnel_key,
    organization_id,
    facility_id,
    rep_user_id,
    created_month,
    stage,
    lead_count,
    reached_count,
    next_reached_count,
    lost_count,
    conversion_to_next_pct,
    conversion_from_lead_pct
from {{ ref('mart_conversion_funnel') }}
{% endsnapshot %}
