select
    account_key,
    organization_id,
    account_id,
    account_name,
    account_category,
    revenue_band,
    plan_tier,
    segment,
    region,
    owner_user_id,
    top_account_id
from {{ ref('dim_accounts') }}
