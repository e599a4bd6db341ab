with

accounts as (
    select
        organization_id,
        account_id,
        account_name,
        domain,
        country,
        {{ system_rank('source_system') }} as system_rank,
        merged_into_account_id is not null as is_merged
    from {{ ref('conformed_accounts') }}
),

given as (
    select
        organization_id,
        account_id,
        kind,
        value
    from {{ ref('conformed_account_identifiers') }}
    union all
    select
        organization_id,
        account_id,
        'domain' as kind,
        domain as value
    from accounts
    union all
    select
        organization_id,
        account_id,
        'email' as kind,
        email as value
    from {{ ref('conformed_contacts') }}
),

comparable as (
    select
        organization_id,
        account_id,
        case kind
            when 'account_id' then 'external_id'
            when 'domain' then 'domain'
            when 'email' then 'email_domain'
        end as kind,
        case kind
            when 'account_id' then value
            when 'domain' then {{ domain_of('value') }}
            when 'email' then {{ company_mail_domain('value') }}
        end as value
    from given
    union all
    select
        organization_id,
        account_id,
        'own_id' as kind,
        account_id as value
    from accounts
    union all
    select
        organization_id,
        account_id,
        'name_and_country' as kind,
        concat({{ comparable_name('account_name') }}, ' in ', lower(country)) as value
    from accounts
),

final as (
    select distinct
        comparable.organization_id,
        comparable.account_id,
        accounts.system_rank,
        comparable.kind,
        comparable.value
    from comparable
    inner join accounts
        on accounts.organization_id = comparable.organization_id
        and accounts.account_id = comparable.account_id
    where
        comparable.value is not null
        -- A merged account is still found by its id. Its other values are those of the account that it was merged into.
        and (not accounts.is_merged or comparable.kind = 'own_id')
)

select *
from final
