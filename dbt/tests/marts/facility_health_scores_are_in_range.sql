{{ config(tags=['critical']) }}
-- A health score lies between 0 and 100. It is known if a component is known. Its tier follows the bounds.
with

bounds as (
    select
        excellent_from,
        good_from,
        fair_from
    from {{ ref('facility_health_settings') }}
)

select
    scores.organization_id,
    scores.facility_id,
    scores.month,
    scores.known_component_count,
    scores.health_score,
    scores.health_tier
from {{ ref('mart_facility_health_scores') }} as scores
cross join bounds
where
    scores.health_score < 0
    or scores.health_score > 100
    or (scores.health_score is null) != (scores.known_component_count = 0)
    or (scores.health_score is null) != (scores.health_tier = 'unknown')
    or (scores.health_score >= bounds.excellent_from) != (scores.health_tier = 'excellent')
    or (scores.health_score >= bounds.good_from) != (scores.health_tier in ('excellent', 'good'))
    or (scores.health_score >= bounds.fair_from) != (scores.health_tier in ('excellent', 'good', 'fair'))
