{{ config(tags=['critical']) }}
-- A roll-up ends at the top account: it rolls up to itself.
select
    accounts.organization_id,
    accounts.account_id,
    accounts.top_account_id
from {{ ref('dim_accounts') }} as accounts
inner join {{ ref('dim_accounts') }} as tops
    on tops.organization_id = accounts.organization_id
    and tops.account_id = accounts.top_account_id
where tops.top_account_id != tops.account_id
