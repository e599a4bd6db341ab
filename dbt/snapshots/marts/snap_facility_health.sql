{% snapshot snap_facility_health %}
{{
    config(
        unique_key='facility_health_key',
        strategy='check',
        check_cols=[
            'is_complete', 'compliance_score', 'pipeline_score', 'conversion_score', 'sla_score', 'satisfaction_score',
            'known_component_count', 'health_score', 'health_tier',
        ],
        hard_deletes='invalidate',
        pre_hook=[
            "{{ delete_versions_since_as_of(this) }}",
            "{{ reopen_versions_ended_since_as_of(this) }}",
        ]
    )
}}
select
    facility_health_key,
    organization_id,
    facility_id,
    month,
    is_complete,
    compliance_score,
    pipeline_score,
    conversion_score,
    sla_score,
    satisfaction_score,
    known_component_count,
    health_score,
    health_tier
from {{ ref('mart_facility_health_scores') }}
{% endsnapshot %}
