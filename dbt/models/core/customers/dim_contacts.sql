{{ config(cluster_by=['organization_id', 'account_id']) }}
with

contacts as (
    select *
    from {{ ref('conformed_contacts') }}
),

accounts as (
    select
        organization_id,
        account_id,
        account_key,
        account_name
    from {{ ref('dim_accounts') }}
),

seniority_rules as (
    select
        rule_order,
        seniority,
        coalesce(pattern, '') as pattern
    from {{ ref('seniority_rules') }}
),

titles as (
    select
        title,
        {{ title_in_words('title') }} as words
    from contacts
    where title is not null
    group by title
),

seniorities as (
    select
        titles.title,
        seniority_rules.seniority
    from titles
    inner join seniority_rules
        on regexp_contains(titles.words, seniority_rules.pattern)
    qualify row_number() over (partition by titles.title order by seniority_rules.rule_order) = 1
),

final as (
    select
        {{ generate_surrogate_key(['contacts.organization_id', 'contacts.contact_id']) }} as contact_key,
        contacts.organization_id,
        contacts.contact_id,
        accounts.account_key,
        contacts.account_id,
        accounts.account_name,
        contacts.full_name,
        contacts.first_name,
        contacts.last_name,
        contacts.email,
        contacts.phone,
        contacts.title,
        coalesce(seniorities.seniority, 'unknown') as seniority,
        contacts.is_primary,
        contacts.status as contact_status,
        contacts.gender,
        contacts.income_segment,
        contacts.created_at,
        contacts.updated_at
    from contacts
    left join accounts
        on accounts.organization_id = contacts.organization_id
        and accounts.account_id = contacts.account_id
    left join seniorities
        on seniorities.title = contacts.title
)

select *
from final
