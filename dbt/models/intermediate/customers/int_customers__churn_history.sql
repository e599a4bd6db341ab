{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        schema='snapshots',
        access='protected',
        full_refresh=false,
        on_schema_change='append_new_columns',
        partition_by={'field': 'score_date', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'account_id'],
        pre_hook="{{ delete_rows_of_this_run(this, 'scored_at', 'score_date') }}"
    )
}}
{#- This table is history, like int_customers__health_daily: no later run can compute its rows again. -#}
with

scores as (
    select
        organization_id,
        account_id,
        subscription_count,
        data_coverage,
        churn_risk_score
    from {{ ref('int_customers__churn_scores') }}
),

final as (
    select
        organization_id,
        account_id,
        {{ last_day_seen() }} as score_date,
        {{ as_of() }} as scored_at,
        data_coverage,
        churn_risk_score
    from scores
    where subscription_count > 0
)

select *
from final
