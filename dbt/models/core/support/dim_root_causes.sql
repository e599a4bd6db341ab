{{ config(cluster_by=['organization_id', 'root_cause_id']) }}
with

-- Tickets without a root cause point at the row `unknown`, so that the totals by root cause add up to the whole.
together as (
    select
        organization_id,
        root_cause_id,
        root_cause_code,
        root_cause_name,
        root_cause_category,
        severity,
        updated_at
    from {{ ref('conformed_root_causes') }}
    union all
    select
        organization_id,
        'unknown' as root_cause_id,
        cast(null as string) as root_cause_code,
        cast(null as string) as root_cause_name,
        cast(null as string) as root_cause_category,
        cast(null as string) as severity,
        cast(null as timestamp) as updated_at
    from {{ ref('dim_organizations') }}
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'root_cause_id']) }} as root_cause_key,
        organization_id,
        root_cause_id,
        coalesce(root_cause_code, 'unknown') as root_cause_code,
        coalesce(root_cause_name, 'unknown') as root_cause_name,
        coalesce(root_cause_category, 'unknown') as root_cause_category,
        coalesce(severity, 'unknown') as root_cause_severity,
        root_cause_id = 'unknown' as is_unknown,
        updated_at
    from together
)

select *
from final
