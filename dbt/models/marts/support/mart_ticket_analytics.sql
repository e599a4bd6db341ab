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

accounts as (
    select
        account_key,
        account_name,
        segment,
        plan_tier,
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

joined as (
    select
        tickets.* except (product_id, category_id, root_cause_id, assignee_user_id),
        accounts.account_name,
        accounts.segment,
        if(tickets.account_key is null, 'unknown', coalesce(accounts.plan_tier, 'none')) as plan_tier,
        lifecycles.lifecycle_stage,
        accounts.industry,
        accounts.region,
        accounts.country,
        accounts.city,
        facilities.facility_name,
        facilities.region as facility_region,
        facilities.city as facility_city,
        products.product_key,
        coalesce(tickets.product_id, 'unknown') as product_id,
        products.product_name,
        products.product_category,
        products.product_type,
        coalesce(categories.category_id, 'unknown') as category_id,
        coalesce(categories.category_name, 'unknown') as category_name,
        categories.parent_category_name,
        coalesce(categories.top_category_name, 'unknown') as top_category_name,
        coalesce(root_causes.root_cause_id, 'unknown') as root_cause_id,
        coalesce(root_causes.root_cause_code, 'unknown') as root_cause_code,
        coalesce(root_causes.root_cause_name, 'unknown') as root_cause_name,
        coalesce(root_causes.root_cause_category, 'unknown') as root_cause_category,
        coalesce(root_causes.root_cause_severity, 'unknown') as root_cause_severity,
        coalesce(users.user_id, 'unknown') as assignee_user_id,
        coalesce(users.full_name, 'unknown') as assignee_name
    from tickets
    left join accounts
        on accounts.account_key = tickets.account_key
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
),

final as (
    select
        ticket_key,
        organization_id,
        ticket_id,
        subject,
        channel,
        priority,
        status,
        is_resolved,
        is_reopened,
        reopened_count,
        is_escalated,
        account_key,
        account_id,
        coalesce(account_name, 'unknown') as account_name,
        coalesce(segment, 'unknown') as segment,
        plan_tier,
        coalesce(lifecycle_stage, 'unknown') as lifecycle_stage,
        industry,
        coalesce(region, 'unknown') as region,
        country,
        city,
        contact_id,
        facility_key,
        facility_id,
        facility_name,
        facility_region,
        facility_city,
        product_key,
        product_id,
        coalesce(product_name, 'unknown') as product_name,
        coalesce(product_category, 'unknown') as product_category,
        coalesce(product_type, 'unknown') as product_type,
        {{ surrogate_key(['organization_id', 'category_id']) }} as category_key,
        category_id,
        category_name,
        parent_category_name,
        top_category_name,
        {{ surrogate_key(['organization_id', 'root_cause_id']) }} as root_cause_key,
        root_cause_id,
        root_cause_code,
        root_cause_name,
        root_cause_category,
        root_cause_severity,
        assignee_user_id,
        assignee_name,
        app_version,
        release_version,
        is_release_related,
        created_at,
        created_date,
        {{ first_day_of('month', 'created_date') }} as created_month,
        {{ first_day_of('quarter', 'created_date') }} as created_quarter,
        extract(year from created_date) as created_year,
        mod(extract(dayofweek from created_date) + 5, 7) + 1 as created_weekday,
        format_date('%A', created_date) as created_day_name,
        {{ month_is_complete(first_day_of('month', 'created_date')) }} as is_complete,
        first_responded_at,
        resolved_at,
        resolution_hours,
        resolution_speed,
        response_closed_at,
        response_priority,
        response_target_minutes,
        response_clock,
        response_policy,
        response_calendar_minutes,
        response_business_minutes,
        response_elapsed_minutes,
        response_sla_ratio,
        response_state,
        is_response_met,
        resolution_closed_at,
        resolution_priority,
        resolution_target_minutes,
        resolution_clock,
        resolution_policy,
        resolution_calendar_minutes,
        resolution_business_minutes,
        resolution_elapsed_minutes,
        resolution_sla_ratio,
        resolution_state,
        is_resolution_met,
        csat_score,
        csat_tier,
        satisfaction_level,
        updated_at
    from joined
)

select *
from final
