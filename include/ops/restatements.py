"""The tables of published figures: their record, their restatements, and the months that are closed."""

from __future__ import annotations

from include.ops.definition import Column, OpsTable

_RUN = Column("run_id", "STRING", "The Airflow run that published the figure.", True)
_AS_OF = Column("as_of", "TIMESTAMP", "As-of time of that run.", True)
_PUBLISHED_AT = Column("published_at", "TIMESTAMP", "Wall clock when the publication was recorded.", True)
_FIGURE = (
    Column("metric", "STRING", "Name of the figure, as in great_expectations/figures.yml.", True),
    Column("organization_id", "STRING", "Tenant of the figure.", True),
    Column("month", "DATE", "First day of the month.", True),
    Column("part", "STRING", "Cohort (its first day), or total.", True),
)
_VALUE = Column("value", "NUMERIC", "The figure, rounded to six digits; NULL if it is unknown or no longer published.")

RESTATEMENT_TABLES = (
    OpsTable(
        "ops",
        "published_figures",
        "One row per figure of an ended month and publication that changed it. The latest up to an instant is what was published then.",
        (
            _RUN,
            _AS_OF,
            _PUBLISHED_AT,
            *_FIGURE,
            _VALUE,
            Column("base_count", "INT64", "Rows below the figure, if they are counted."),
        ),
        "published_at",
        ("metric", "organization_id", "month"),
    ),
    OpsTable(
        "ops",
        "restatements",
        "One row per publication and published figure of an ended month that it changed, with the reason.",
        (
            _RUN,
            _AS_OF,
            _PUBLISHED_AT,
            *_FIGURE,
            Column("unit", "STRING", "money, count, percent or points.", True),
            Column("old_value", "NUMERIC", "The figure as the publication before showed it; NULL if it showed none."),
            Column("new_value", "NUMERIC", "The figure as this publication shows it; NULL if it shows none."),
            Column("difference", "NUMERIC", "new_value − old_value; NULL if either is NULL."),
            Column(
                "reason",
                "STRING",
                "definition change, exchange rate, late arrival, correction, deletion, status history, identity, as-of time or unknown.",
                True,
            ),
            Column("row_count", "INT64", "Source rows that changed for this reason; NULL if no row did."),
            Column("first_rows", "STRING", "Keys of the first of these rows."),
            Column("evidence_json", "STRING", "Every reason that was found: reason, table, number of rows, first keys."),
            Column("previous_run_id", "STRING", "The run of the publication before."),
            Column("previous_as_of", "TIMESTAMP", "As-of time of that run."),
            Column("code_version", "STRING", "Version of the code that built the table."),
            Column("previous_code_version", "STRING", "Version of the code at the publication before."),
        ),
        "published_at",
        ("organization_id", "month", "metric"),
    ),
    OpsTable(
        "ops",
        "period_closes",
        "One row per closing and per re-opening of an organization's month. The latest says whether the month is closed.",
        (
            Column("close_id", "STRING", "Organization, month and number of the closing.", True),
            Column("organization_id", "STRING", "Tenant whose month is closed.", True),
            Column("month", "DATE", "First day of the month.", True),
            Column("event", "STRING", "closed or reopened.", True),
            Column("event_by", "STRING", "Who did it.", True),
            Column("event_at", "TIMESTAMP", "Wall clock when it was done.", True),
        ),
        "event_at",
        ("organization_id", "month"),
    ),
    OpsTable(
        "ops",
        "closed_figures",
        "One row per figure of a closed month, as it was published when the month was closed. Rows are never deleted.",
        (
            Column("close_id", "STRING", "The closing: see ops.period_closes.", True),
            Column("closed_by", "STRING", "Who closed the month.", True),
            Column("closed_at", "TIMESTAMP", "Wall clock when it was closed.", True),
            _RUN,
            _AS_OF,
            _PUBLISHED_AT,
            *_FIGURE,
            _VALUE,
        ),
        "closed_at",
        ("organization_id", "month", "metric"),
    ),
)

#: View → its description and its SQL. `{project}` stands for the project.
VIEWS: dict[str, tuple[str, str]] = {
    "ops.closed_and_current": (
        "One row per frozen figure of the last closing of each month, beside the figure as it is published now.",
        """
        with closings as (
            select organization_id, month, close_id, event as state, event_by, event_at
            from `{project}`.ops.period_closes
            where true
            qualify row_number() over (partition by organization_id, month order by event_at desc) = 1
        ),
        current_figures as (
            select metric, organization_id, month, part, value, run_id, published_at
            from `{project}`.ops.published_figures
            where true
            qualify row_number() over (partition by metric, organization_id, month, part order by published_at desc) = 1
        )
        select
            frozen.organization_id,
            frozen.month,
            frozen.metric,
            frozen.part,
            closings.state,
            frozen.value as closed_value,
            current_figures.value as current_value,
            current_figures.value - frozen.value as difference,
            current_figures.value is distinct from frozen.value as has_changed,
            frozen.closed_by,
            frozen.closed_at,
            frozen.run_id as closed_run_id,
            frozen.as_of as closed_as_of,
            current_figures.run_id as current_run_id,
            current_figures.published_at as current_published_at,
            closings.event_by as state_by,
            closings.event_at as state_at
        from `{project}`.ops.closed_figures as frozen
        inner join closings on closings.close_id = frozen.close_id
        left join current_figures
            on current_figures.metric = frozen.metric
            and current_figures.organization_id = frozen.organization_id
            and current_figures.month = frozen.month
            and current_figures.part = frozen.part
        """,
    )
}
