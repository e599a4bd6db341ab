with

source as (
    {{ unite('account_map') }}
),

final as (
    select
        organization_id,
        account_id,
        other_account_id,
        is_same,
        {{ text('decided_by') }} as decided_by,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
