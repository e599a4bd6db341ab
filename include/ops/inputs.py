"""The table of what the nightly runs have found in their input."""

from __future__ import annotations

from include.ops.definition import Column, OpsTable

INPUT_TABLES = (
    OpsTable(
        "ops",
        "input_report",
        "What each nightly run found in the raw tables before it built anything. One row per table, share of missing values, and finding.",
        (
            Column("run_id", "STRING", "The run that wrote the row.", True),
            Column("as_of", "TIMESTAMP", "As-of time of the run: it reports on events before this instant."),
            Column("source", "STRING", "Name of the source; NULL if the row is about an entity of all sources."),
            Column("table_name", "STRING", "Raw table, without its dataset; NULL if the row is about an entity of all sources."),
            Column("entity", "STRING", "Entity of the input contract; NULL if the source could not be read."),
            Column("column_name", "STRING", "Column of the contract; NULL if the row is about whole rows."),
            Column(
                "kind",
                "STRING",
                "table, missing_values, identity; or a finding: required, unknown_column, empty, duplicate, unknown_word, orphan, gap, "
                "future, no_rate, unknown_figure, not_checked. docs/check-data.md explains them.",
                True,
            ),
            Column("row_count", "INT64", "Rows concerned; the days of a gap. NULL if it is about no rows."),
            Column("share", "FLOAT64", "Rows concerned, as a share of the rows of the table, 0 to 1."),
            Column("value", "STRING", "The word, the currency or an example of an id; the rule or status of an identity."),
            Column(
                "first_at",
                "TIMESTAMP",
                "First time of the rows; of a gap, its first day without rows; of a missing rate, the first such day.",
            ),
            Column("last_at", "TIMESTAMP", "Last time of the rows; of a gap, its last day without rows."),
            Column("message", "STRING", "What was found, in words.", True),
            Column("figures", "STRING", "The figures that are unknown because of it."),
            Column("checked_at", "TIMESTAMP", "Wall clock of the check.", True),
        ),
        "checked_at",
        ("run_id", "kind"),
    ),
)
