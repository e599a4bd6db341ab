{{ config(cluster_by=['organization_id', 'account_id']) }}
with

accounts as (
    select
        organization_id,
        account_id,
        account_name,
        source_system,
        {{ system_rank('source_system') }} as system_rank,
        merged_into_account_id
    from {{ ref('conformed_accounts') }}
),

-- The accounts to match: those of every system but the organization's first.
of_later_systems as (
    select
        organization_id,
        account_id,
        account_name,
        source_system
    from accounts
    where merged_into_account_id is null
    qualify system_rank > min(system_rank) over (partition by organization_id)
),

identifiers as (
    select
        organization_id,
        account_id,
        system_rank,
        kind,
        value
    from {{ ref('int_accounts__identifiers') }}
),

rules as (
    {%- for rule in var('account_match_rules') %}
    {%- set rule_order, is_last = loop.index, loop.last %}
    {%- for kind, candidate_kind in rule.compares %}
    select
        '{{ rule.name }}' as rule,
        {{ rule_order }} as rule_order,
        '{{ kind }}' as kind,
        '{{ candidate_kind }}' as candidate_kind,
        numeric '{{ rule.confidence }}' as confidence,
        {{ rule.get('suggests_only', false) | lower }} as suggests_only
    {%- if not (loop.last and is_last) %}
    union all
    {%- endif %}
    {%- endfor %}
    {%- endfor %}
),

declared as (
    select
        organization_id,
        account_id,
        other_account_id,
        is_same,
        decided_by,
        updated_at as decided_at
    from {{ ref('conformed_account_map') }}
    union all
    select
        organization_id,
        account_id,
        other_account_id,
        is_same,
        decided_by,
        decided_at
    from {{ source('ops', 'account_decisions') }}
),

-- The last decision on each pair, seen from the account of the later system.
decisions as (
    select
        declared.organization_id,
        if(accounts.system_rank > others.system_rank, accounts.account_id, others.account_id) as account_id,
        if(accounts.system_rank > others.system_rank, others.account_id, accounts.account_id) as candidate_account_id,
        least(accounts.system_rank, others.system_rank) as candidate_rank,
        declared.is_same,
        declared.decided_by,
        declared.decided_at
    from declared
    inner join accounts
        on accounts.organization_id = declared.organization_id
        and accounts.account_id = declared.account_id
    inner join accounts as others
        on others.organization_id = declared.organization_id
        and others.account_id = declared.other_account_id
    where accounts.system_rank != others.system_rank
    qualify
        row_number() over (
            partition by
                declared.organization_id,
                least(declared.account_id, declared.other_account_id),
                greatest(declared.account_id, declared.other_account_id)
            order by declared.decided_at desc
        ) = 1
),

found as (
    select
        identifiers.organization_id,
        identifiers.account_id,
        candidates.account_id as candidate_account_id,
        candidates.system_rank as candidate_rank,
        rules.rule,
        rules.rule_order,
        rules.confidence,
        rules.suggests_only
    from identifiers
    inner join rules
        on rules.kind = identifiers.kind
    inner join identifiers as candidates
        on candidates.organization_id = identifiers.organization_id
        and candidates.kind = rules.candidate_kind
        and candidates.value = identifiers.value
        and candidates.system_rank < identifiers.system_rank
    union all
    select
        organization_id,
        account_id,
        candidate_account_id,
        candidate_rank,
        'declared' as rule,
        0 as rule_order,
        numeric '1' as confidence,
        false as suggests_only
    from decisions
    where is_same
),

allowed as (
    select
        found.organization_id,
        found.account_id,
        found.candidate_account_id,
        found.candidate_rank,
        found.rule,
        found.rule_order,
        found.confidence,
        found.suggests_only
    from found
    left join decisions
        on decisions.organization_id = found.organization_id
        and decisions.account_id = found.account_id
        and decisions.candidate_account_id = found.candidate_account_id
    where coalesce(decisions.is_same, true)
),

-- The first rule that finds an account decides, and of the systems that it finds the first.
by_first_rule as (
    select
        organization_id,
        account_id,
        candidate_account_id,
        candidate_rank,
        rule,
        confidence,
        suggests_only
    from allowed
    where true
    qualify rule_order = min(rule_order) over (partition by organization_id, account_id)
),

in_first_system as (
    select
        organization_id,
        account_id,
        candidate_account_id,
        rule,
        confidence,
        suggests_only
    from by_first_rule
    where true
    qualify candidate_rank = min(candidate_rank) over (partition by organization_id, account_id)
),

matches as (
    select
        organization_id,
        account_id,
        min(rule) as rule,
        min(confidence) as confidence,
        logical_or(suggests_only) as suggests_only,
        count(distinct candidate_account_id) as candidate_count,
        min(candidate_account_id) as first_candidate_id,
        string_agg(distinct candidate_account_id, ', ' order by candidate_account_id limit 10) as candidate_account_ids
    from in_first_system
    group by organization_id, account_id
),

judged as (
    select
        of_later_systems.organization_id,
        of_later_systems.account_id,
        of_later_systems.account_name,
        of_later_systems.source_system,
        case
            when matches.account_id is null then 'unmatched'
            when matches.candidate_count > 1 then 'ambiguous'
            when matches.rule = 'declared' then 'declared'
            when matches.suggests_only then 'suggested'
            else 'matched'
        end as identity_status,
        matches.rule,
        matches.confidence,
        coalesce(matches.candidate_count, 0) as candidate_count,
        matches.first_candidate_id,
        matches.candidate_account_ids
    from of_later_systems
    left join matches
        on matches.organization_id = of_later_systems.organization_id
        and matches.account_id = of_later_systems.account_id
),

final as (
    select
        {{ generate_surrogate_key(['judged.organization_id', 'judged.account_id']) }} as account_key,
        judged.organization_id,
        judged.account_id,
        judged.account_name,
        judged.source_system,
        judged.identity_status,
        judged.rule,
        judged.confidence,
        judged.candidate_count,
        judged.candidate_account_ids,
        if(judged.identity_status in ('declared', 'matched'), judged.first_candidate_id, null) as matched_account_id,
        decisions.decided_by,
        decisions.decided_at
    from judged
    left join decisions
        on decisions.organization_id = judged.organization_id
        and decisions.account_id = judged.account_id
        and decisions.candidate_account_id = judged.first_candidate_id
        and judged.identity_status = 'declared'
)

select *
from final
