{{ config(tags=['critical'], group='data_platform') }}
-- Reconciliation per organization: fct_usage has as many events and logins as staging.
with

counted as (
    select
        organization_id,
        count(*) as staged_event_count,
        countif(is_login) as staged_login_count,
        0 as event_count,
        0 as login_count
    from {{ ref('stg_product__usage_events') }}
    group by organization_id
    union all
    select
        organization_id,
        0 as staged_event_count,
        0 as staged_login_count,
        sum(event_count) as event_count,
        sum(login_count) as login_count
    from {{ ref('fct_usage') }}
    group by organization_id
),

totals as (
    select
        organization_id,
        sum(staged_event_count) as staged_event_count,
        sum(event_count) as event_count,
        sum(staged_login_count) as staged_login_count,
        sum(login_count) as login_count
    from counted
    group by organization_id
)

select
    organization_id,
    staged_event_count,
    event_count,
    staged_login_count,
    login_count
from totals
where staged_event_count != event_count or staged_login_count != login_count
