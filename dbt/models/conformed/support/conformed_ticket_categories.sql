with

source as (
    {{ unite('ticket_categories') }}
),

final as (
    select
        category_id,
        organization_id,
        {{ text('name') }} as category_name,
        {{ text('parent_name') }} as parent_category_name,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
