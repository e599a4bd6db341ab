with

source as (
    {{ unite('root_causes') }}
),

final as (
    select
        root_cause_id,
        organization_id,
        {{ text('code') }} as root_cause_code,
        {{ text('name') }} as root_cause_name,
        {{ text('category') }} as root_cause_category,
        {{ category('severity') }} as severity,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
