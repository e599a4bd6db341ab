with

source as (
    {{ unite('account_identifiers') }}
),

final as (
    select
        organization_id,
        account_id,
        {{ category('kind') }} as kind,
        {{ text('value') }} as value,
        updated_at,
        source_system,
        _extracted_at,
        _loaded_at,
        _batch_id
    from source
)

select * from final
