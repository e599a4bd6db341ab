{% snapshot snap_accounts %}
{{
    config(
        unique_key='account_key',
        strategy='check',
        check_cols=[
            'account_name', 'account_category', 'revenue_band', 'plan_tier', 'segment', 'region', 'owner_user_id',
            'top_account_id',
        ],
        hard_deletes='invalidate',
        pre_hook=[
            "{{ delete_versions_since_as_of(this) }}",
            "{{ reopen_versions_ended_since_as_of(this) }}",
        ]
    )
}}
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
{% endsnapshot %}
