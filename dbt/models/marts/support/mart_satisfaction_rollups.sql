{{
    config(
        partition_by={'field': 'month', 'data_type': 'date', 'granularity': 'month'},
        cluster_by=['organization_id', 'facility_id', 'survey_type']
    )
}}
{%- set grain = ['organization_id', 'facility_id', 'survey_type', 'month'] -%}
{%- set classes = {'csat': ['satisfied', 'neutral', 'dissatisfied'], 'nps': ['promoter', 'passive', 'detractor']} -%}
with

surveys as (
    select
        organization_id,
        facility_id,
        survey_type,
        is_responded,
        score,
        score_class,
        sent_at,
        sent_month,
        responded_month
    from {{ ref('fct_survey_responses') }}
),

facilities as (
    select
        organization_id,
        facility_id,
        facility_name
    from {{ ref('dim_facilities') }}
),

-- The response rate counts surveys by the month of sending, whenever they were answered.
sent as (
    select
        organization_id,
        facility_id,
        survey_type,
        sent_month as month,
        count(*) as sent_count,
        {{ count_known('is_responded') }} as answered_count
    from surveys
    where sent_at < {{ as_of() }}
    group by organization_id, facility_id, survey_type, sent_month
),

-- Scores count answers by the month of answering, whenever the survey was sent.
answers as (
    select
        organization_id,
        facility_id,
        survey_type,
        responded_month as month,
        countif(score_class is not null) as response_count,
        countif(score_class is null) as unscored_response_count,
        {%- for survey_type in classes %}
        {%- for class in classes[survey_type] %}
        {{ count_known("score_class = '" ~ class ~ "'") }} as {{ class }}_count,
        {%- endfor %}
        {%- endfor %}
        sum(if(survey_type = 'csat' and score_class is not null, score, 0)) as csat_score_sum
    from surveys
    where is_responded
    group by organization_id, facility_id, survey_type, responded_month
),

-- Nobody knows whether the surveys of an organization are answered if none ever was.
answering as (
    select
        organization_id,
        logical_or(is_responded) as has_answers
    from surveys
    group by organization_id
),

events as (
    select {{ grain | join(', ') }}
    from sent
    union all
    select {{ grain | join(', ') }}
    from answers
),

-- Months have no gap, so that the row before is that of the month before.
histories as (
    select
        organization_id,
        facility_id,
        survey_type,
        min(month) as first_month
    from events
    group by organization_id, facility_id, survey_type
),

months as (
    select
        histories.organization_id,
        histories.facility_id,
        histories.survey_type,
        month
    from histories
    cross join
        unnest(generate_date_array(histories.first_month, {{ last_day_seen() }}, interval 1 month)) as month
),

-- The base of a rate is NULL for the survey type that the rate does not apply to.
counted as (
    select
        months.organization_id,
        months.facility_id,
        months.survey_type,
        months.month,
        coalesce(sent.sent_count, 0) as sent_count,
        {{ zero_without_rows('answering.has_answers', 'sent.facility_id', 'sent.answered_count') }} as answered_count,
        {{ zero_without_rows('answering.has_answers', 'answers.facility_id', 'answers.response_count') }} as response_count,
        {{ zero_without_rows('answering.has_answers', 'answers.facility_id', 'answers.unscored_response_count') }}
            as unscored_response_count,
        {%- for survey_type in classes %}
        {%- for class in classes[survey_type] %}
        {{ zero_without_rows('answering.has_answers', 'answers.facility_id', 'answers.' ~ class ~ '_count') }}
            as {{ class }}_count,
        {%- endfor %}
        {%- endfor %}
        answers.csat_score_sum,
        {%- for survey_type in classes %}
        if(months.survey_type = '{{ survey_type }}', nullif(answers.response_count, 0), null) as {{ survey_type }}_base,
        {%- endfor %}
        nullif(sent.sent_count, 0) as sent_base
    from months
    left join answering
        on answering.organization_id = months.organization_id
    {% for part in ['sent', 'answers'] -%}
    left join {{ part }}
        on {{ part }}.organization_id = months.organization_id
        and {{ part }}.facility_id = months.facility_id
        and {{ part }}.survey_type = months.survey_type
        and {{ part }}.month = months.month
    {% endfor -%}
),

rated as (
    select
        organization_id,
        facility_id,
        survey_type,
        month,
        sent_count,
        answered_count,
        response_count,
        unscored_response_count,
        satisfied_count,
        neutral_count,
        dissatisfied_count,
        promoter_count,
        passive_count,
        detractor_count,
        100 * satisfied_count / csat_base as satisfied_pct,
        100 * dissatisfied_count / csat_base as dissatisfied_pct,
        csat_score_sum / csat_base as mean_csat_score,
        100 * promoter_count / nps_base as promoter_pct,
        100 * detractor_count / nps_base as detractor_pct,
        100 * (promoter_count - detractor_count) / nps_base as nps,
        100 * answered_count / sent_base as response_rate_pct
    from counted
),

final as (
    select
        {{ generate_surrogate_key(['rated.organization_id', 'rated.facility_id', 'rated.survey_type', 'rated.month']) }}
            as satisfaction_rollup_key,
        rated.organization_id,
        rated.facility_id,
        coalesce(facilities.facility_name, 'Unknown') as facility_name,
        rated.survey_type,
        rated.month,
        {{ month_is_complete('rated.month') }} as is_complete,
        rated.sent_count,
        rated.answered_count,
        rated.response_rate_pct,
        rated.response_rate_pct - lag(rated.response_rate_pct) over by_month as response_rate_change,
        rated.response_count,
        rated.unscored_response_count,
        rated.satisfied_count,
        rated.neutral_count,
        rated.dissatisfied_count,
        rated.satisfied_pct,
        rated.dissatisfied_pct,
        rated.satisfied_pct - lag(rated.satisfied_pct) over by_month as satisfied_pct_change,
        rated.mean_csat_score,
        rated.promoter_count,
        rated.passive_count,
        rated.detractor_count,
        rated.promoter_pct,
        rated.detractor_pct,
        rated.nps,
        rated.nps - lag(rated.nps) over by_month as nps_change
    from rated
    left join facilities
        on facilities.organization_id = rated.organization_id
        and facilities.facility_id = rated.facility_id
    window by_month as (partition by rated.organization_id, rated.facility_id, rated.survey_type order by rated.month)
)

select *
from final
