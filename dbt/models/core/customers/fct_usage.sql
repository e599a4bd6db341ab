{{
    config(
        partition_by={'field': 'usage_date', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'account_id']
    )
}}
{#- A table, not incremental. An event may arrive days late, be delivered again, or leave quarantine. To find the days
    that changed, a run would have to read every event. That is already the whole work. -#}
{%- set categories = var('event_categories') -%}
with

events as (
    select
        organization_id,
        account_id,
        user_id,
        case
            {%- for category in categories %}
            when event_category = '{{ category }}' then '{{ category }}'
            {%- endfor %}
            else 'other'
        end as event_category,
        event_category is not null as has_category,
        is_login,
        occurred_at,
        event_date
    from {{ ref('conformed_usage_events') }}
),

accounts as (
    select
        organization_id,
        account_id,
        account_key
    from {{ ref('dim_accounts') }}
),

days as (
    select
        organization_id,
        account_id,
        event_date as usage_date,
        count(*) as event_count,
        {{ count_known('is_login') }} as login_count,
        nullif(count(distinct user_id), 0) as user_count,
        {%- for category in categories %}
        {{ count_known("if(has_category, event_category = '" ~ category ~ "', null)") }} as {{ category }}_event_count,
        {%- endfor %}
        countif(event_category = 'other') as other_event_count,
        if(logical_or(has_category), count(distinct nullif(event_category, 'other')), null) as category_count,
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at,
        max(if(is_login, occurred_at, null)) as last_login_at
    from events
    group by organization_id, account_id, event_date
),

final as (
    select
        {{ generate_surrogate_key(['days.organization_id', 'days.account_id', 'days.usage_date']) }} as usage_key,
        days.organization_id,
        days.account_id,
        accounts.account_key,
        days.usage_date,
        days.event_count,
        days.login_count,
        days.user_count,
        days.core_event_count,
        days.collaboration_event_count,
        days.reporting_event_count,
        days.integration_event_count,
        days.administration_event_count,
        days.other_event_count,
        days.category_count,
        days.first_event_at,
        days.last_event_at,
        days.last_login_at
    from days
    left join accounts
        on accounts.organization_id = days.organization_id
        and accounts.account_id = days.account_id
)

select *
from final
