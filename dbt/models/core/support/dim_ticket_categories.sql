{{ config(cluster_by=['organization_id', 'category_id']) }}
with

categories as (
    select
        organization_id,
        category_id,
        category_name,
        parent_category_name,
        updated_at
    from {{ ref('stg_support__ticket_categories') }}
),

-- Tickets without a category point at this row, so that the totals by category add up to the whole.
unknown as (
    select
        organization_id,
        'unknown' as category_id,
        cast(null as string) as category_name,
        cast(null as string) as parent_category_name,
        cast(null as timestamp) as updated_at
    from {{ ref('dim_organizations') }}
),

together as (
    select *
    from categories
    union all
    select *
    from unknown
),

final as (
    select
        {{ surrogate_key(['organization_id', 'category_id']) }} as category_key,
        organization_id,
        category_id,
        coalesce(category_name, 'unknown') as category_name,
        parent_category_name,
        coalesce(parent_category_name, category_name, 'unknown') as top_category_name,
        category_id = 'unknown' as is_unknown,
        updated_at
    from together
)

select *
from final
