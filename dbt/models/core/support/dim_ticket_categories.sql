{{ config(cluster_by=['organization_id', 'category_id']) }}
with

-- Tickets without a category point at the row `unknown`, so that the totals by category add up to the whole.
together as (
    select
        organization_id,
        category_id,
        category_name,
        parent_category_name,
        updated_at
    from {{ ref('conformed_ticket_categories') }}
    union all
    select
        organization_id,
        'unknown' as category_id,
        cast(null as string) as category_name,
        cast(null as string) as parent_category_name,
        cast(null as timestamp) as updated_at
    from {{ ref('dim_organizations') }}
),

final as (
    select
        {{ generate_surrogate_key(['organization_id', 'category_id']) }} as category_key,
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
