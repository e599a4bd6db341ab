{{ config(tags=['critical'], group='customer_success') }}
-- Reconciliation: this run scores exactly the accounts with MRR that the CRM knows, for health and for churn risk.
with

customers as (
    select account_key
    from {{ ref('fct_revenue') }}
    where
        month = {{ first_day_of('month', last_day_seen()) }}
        and subscription_count > 0
        and account_key is not null
),

scored as (
    select
        'mart_customer_health_scores' as relation,
        account_key
    from {{ ref('mart_customer_health_scores') }}
    where is_current
    union all
    select
        'mart_churn_risk' as relation,
        account_key
    from {{ ref('mart_churn_risk') }}
),

expected as (
    select
        relation,
        customers.account_key
    from customers
    cross join unnest(['mart_customer_health_scores', 'mart_churn_risk']) as relation
)

select
    coalesce(expected.relation, scored.relation) as relation,
    coalesce(expected.account_key, scored.account_key) as account_key,
    if(scored.account_key is null, 'missing', 'surplus') as difference
from expected
full outer join scored
    on scored.relation = expected.relation
    and scored.account_key = expected.account_key
where expected.account_key is null or scored.account_key is null
