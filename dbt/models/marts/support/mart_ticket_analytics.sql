{{
    config(
        partition_by={'field': 'created_month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'category_id', 'root_cause_id']
    )
}}
with

tickets as (
    select *
    from {{ ref('fct_tickets') }}
),

-- An account without a plan has none if the CRM names the plan of another account. Else nobody knows its plan.
accounts as (
    select
        account_key,
        account_id,
        account_name,
        top_account_key,
        segment,
        coalesce(
            plan_tier, if(logical_or(plan_tier is not null) over (partition by organization_id), 'none', 'unknown')
        ) as plan_tier,
        industry,
        region,
        country,
        city
    from {{ ref('dim_accounts') }}
),

lifecycles as (
    select
        account_key,
        lifecycle_stage
    from {{ ref('fct_account_lifecycle') }}
),

facilities as (
    select
        facility_key,
        facility_name,
        region,
        city
    from {{ ref('dim_facilities') }}
),

products as (
    select
        organization_id,
        product_id,
        product_key,
        product_name,
        product_category,
        product_type
    from {{ ref('dim_products') }}
),

categories as (
    select
        organization_id,
        category_id,
        category_name,
        parent_category_name,
        top_category_name
    from {{ ref('dim_ticket_categories') }}
),

root_causes as (
    select
        organization_id,
        root_cause_id,
        root_cause_code,
        root_cause_name,
        root_cause_category,
        root_cause_severity
    from {{ ref('dim_root_causes') }}
),

users as (
    select
        organization_id,
        user_id,
        full_name
    from {{ ref('dim_users') }}
),

final as (
    select
        tickets.ticket_key,
        tickets.organization_id,
        tickets.ticket_id,
        tickets.subject,
        tickets.channel,
        tickets.priority,
        tickets.status,
        tickets.is_open,
        tickets.is_resolved,
        tickets.is_merged,
        tickets.merged_into_ticket_id,
        tickets.is_reopened,
        tickets.reopened_count,
        tickets.is_escalated,
        tickets.account_key,
        tickets.account_id,
        coalesce(accounts.account_name, 'unknown') as account_name,
        customers.account_id as top_account_id,
        coalesce(customers.account_name, 'unknown') as top_account_name,
        coalesce(customers.segment, 'unknown') as segment,
        coalesce(customers.plan_tier, 'unknown') as plan_tier,
        coalesce(lifecycles.lifecycle_stage, 'unknown') as lifecycle_stage,
        customers.industry,
        coalesce(customers.region, 'unknown') as region,
        customers.country,
        customers.city,
        tickets.contact_id,
        tickets.facility_key,
        tickets.facility_id,
        facilities.facility_name,
        facilities.region as facility_region,
        facilities.city as facility_city,
        products.product_key,
        coalesce(tickets.product_id, 'unknown') as product_id,
        coalesce(products.product_name, 'unknown') as product_name,
        coalesce(products.product_category, 'unknown') as product_category,
        coalesce(products.product_type, 'unknown') as product_type,
        {{ generate_surrogate_key(['tickets.organization_id', "coalesce(categories.category_id, 'unknown')"]) }} as category_key,
        coalesce(categories.category_id, 'unknown') as category_id,
        coalesce(categories.category_name, 'unknown') as category_name,
        categories.parent_category_name,
        coalesce(categories.top_category_name, 'unknown') as top_category_name,
        {{ generate_surrogate_key(['tickets.organization_id', "coalesce(root_causes.root_cause_id, 'unknown')"]) }}
            as root_cause_key,
        coalesce(root_causes.root_cause_id, 'unknown') as root_cause_id,
        coalesce(root_causes.root_cause_code, 'unknown') as root_cause_code,
        coalesce(root_causes.root_cause_name, 'unknown') as root_cause_name,
        coalesce(root_causes.root_cause_category, 'unknown') as root_cause_category,
        coalesce(root_causes.root_cause_severity, 'unknown') as root_cause_severity,
        coalesce(users.user_id, 'unknown') as assignee_user_id,
        coalesce(users.full_name, 'unknown') as assignee_name,
        tickets.app_version,
        tickets.release_version,
        tickets.is_release_related,
        tickets.created_at,
        tickets.created_date,
        {{ first_day_of('month', 'tickets.created_date') }} as created_month,
        {{ first_day_of('quarter', 'tickets.created_date') }} as created_quarter,
        extract(year from tickets.created_date) as created_year,
        mod(extract(dayofweek from tickets.created_date) + 5, 7) + 1 as created_weekday,
        format_date('%A', tickets.created_date) as created_day_name,
        {{ month_is_complete(first_day_of('month', 'tickets.created_date')) }} as is_complete,
        tickets.first_responded_at,
        tickets.resolved_at,
        tickets.resolution_hours,
        tickets.resolution_speed,
        tickets.response_closed_at,
        tickets.response_priority,
        tickets.response_target_minutes,
        tickets.response_clock,
        tickets.response_policy,
        tickets.response_calendar_minutes,
        tickets.response_business_minutes,
        tickets.response_elapsed_minutes,
        tickets.response_sla_ratio,
        tickets.response_state,
        tickets.is_response_met,
        tickets.resolution_closed_at,
        tickets.resolution_priority,
        tickets.resolution_target_minutes,
        tickets.resolution_clock,
        tickets.resolution_policy,
        tickets.resolution_calendar_minutes,
        tickets.resolution_business_minutes,
        tickets.resolution_elapsed_minutes,
        tickets.resolution_sla_ratio,
        tickets.resolution_state,
        tickets.is_resolution_met,
        tickets.csat_score,
        tickets.csat_tier,
        tickets.satisfaction_level,
        tickets.updated_at
    from tickets
    left join accounts
        on accounts.account_key = tickets.account_key
    left join accounts as customers
        on customers.account_key = accounts.top_account_key
    left join lifecycles
        on lifecycles.account_key = tickets.account_key
    left join facilities
        on facilities.facility_key = tickets.facility_key
    left join products
        on products.organization_id = tickets.organization_id
        and products.product_id = tickets.product_id
    left join categories
        on categories.organization_id = tickets.organization_id
        and categories.category_id = tickets.category_id
    left join root_causes
        on root_causes.organization_id = tickets.organization_id
        and root_causes.root_cause_id = tickets.root_cause_id
    left join users
        on users.organization_id = tickets.organization_id
        and users.user_id = tickets.assignee_user_id
)

select *
from final
