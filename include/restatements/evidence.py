# ruff: noqa: S608 - SQL contains only names that the source files and the figures declare, never data.
"""Why figures have changed: the source rows that a publication sees otherwise than the publication before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from include.restatements.figures import TOTAL, Figure, Figures, Reason, Rows
from include.sources import load_sources
from include.sources.versions import key_text, latest, visible
from include.warehouse import Row, rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

    from include.sources import Source

#: Keys of changed rows that are named.
NAMED_ROWS = 5


@dataclass(frozen=True)
class Publication:
    """The data that a published table showed.

    Attributes:
        run_id, as_of: the run that published it.
        published_at: the wall clock then.
        code_version: the version of the code that built it; None if it is not known.
    """

    run_id: str
    as_of: datetime
    published_at: datetime
    code_version: str | None


def changed_rows(
    figures: Figures, names: Collection[str], months: Collection[date], as_of: datetime, previous: Publication, client: Client
) -> list[Row]:
    """The source rows that count otherwise than at the publication before, grouped.

    A row was seen then if it was loaded before that publication and changed before its as-of time.

    Args:
        figures: the declared figures.
        names: names of the source rows to look at.
        months: the months to look at.
        as_of: the as-of time of the new publication.
        previous: the publication before.
        client: a BigQuery client.

    Returns:
        Rows of `name`, `organization_id` (None: every organization), `month`, `reason`, `row_count`, `first_rows` (keys).
    """
    sources = load_sources()
    parts = [_rows_sql(name, figures.rows[name], sources) for name in sorted(names)]
    parameters = {
        "months": sorted(months),
        "as_of": as_of,
        "previous_as_of": previous.as_of,
        "previous_published_at": previous.published_at,
    }
    return rows("\nunion all\n".join(parts), parameters, client)


def _rows_sql(name: str, declared: Rows, sources: Mapping[str, Source]) -> str:
    source_name, _, table_name = declared.table.partition(".")
    source = sources[source_name]
    table = source.tables[table_name]
    organization = "organization_id" if "organization_id" in table.columns else "cast(null as string)"
    facts, progress = (
        f"to_json_string([{', '.join(f'to_json_string({column})' for column in columns)}])" if columns else "''"
        for columns in (declared.facts, declared.progress)
    )
    seen = visible(source, table)
    now, before = (
        f"""select *, {key_text(table.primary_key)} as row_key, {organization} as tenant, {facts} as facts, {progress} as progress
        from {source.dataset}.{table_name}
        where {condition}
        {latest(table)}"""
        for condition in (seen, f"({seen.replace('@as_of', '@previous_as_of')}) and _loaded_at <= @previous_published_at")
    )
    counts = f"""select row_key, figure_month, coalesce({declared.open}, false) as is_open
            from %s cross join unnest(@months) as figure_month
            where not _is_deleted and coalesce({declared.when}, false)"""
    reason = (
        f"'{declared.reason}'"
        if declared.reason
        else """case
                when keys.before_facts is null then 'late arrival'
                when keys.is_deleted then 'deletion'
                when keys.facts != keys.before_facts then 'correction'
                when keys.progress != keys.before_progress then 'status history'
                when (counts_now.row_key is null) != (counts_before.row_key is null) then 'correction'
                else 'as-of time'
            end"""
    )
    return f"""select name, organization_id, month, reason, count(*) as row_count,
    array_agg(row_key order by row_key limit {NAMED_ROWS}) as first_rows
from (
    with rows_now as (
        {now}
    ),
    rows_before as (
        {before}
    ),
    keys as (
        select
            rows_now.row_key,
            coalesce(rows_now.tenant, rows_before.tenant) as organization_id,
            rows_now._is_deleted as is_deleted,
            rows_now.facts,
            rows_now.progress,
            if(rows_before._is_deleted, null, rows_before.facts) as before_facts,
            if(rows_before._is_deleted, null, rows_before.progress) as before_progress
        from rows_now
        left join rows_before on rows_before.row_key = rows_now.row_key
    ),
    counts_now as (
        {counts % "rows_now"}
    ),
    counts_before as (
        {counts % "rows_before"}
    )
    select
        '{name}' as name,
        keys.organization_id,
        coalesce(counts_now.figure_month, counts_before.figure_month) as month,
        {reason} as reason,
        keys.row_key
    from counts_now
    full join counts_before
        on counts_before.row_key = counts_now.row_key
        and counts_before.figure_month = counts_now.figure_month
    inner join keys on keys.row_key = coalesce(counts_now.row_key, counts_before.row_key)
    where
        counts_now.row_key is null
        or counts_before.row_key is null
        or keys.facts != keys.before_facts
        or keys.progress != keys.before_progress
        or counts_now.is_open
)
group by name, organization_id, month, reason"""


def months_of(figure: Figure, month: date, part: str) -> set[date]:
    """The months whose source rows a figure counts."""
    found = {month}
    if figure.months_before:
        before = month.year * 12 + month.month - 1 - figure.months_before
        found.add(date(before // 12, before % 12 + 1, 1))
    return found if part == TOTAL else {*found, date.fromisoformat(part)}


def explain(
    figure: Figure, change: Row, changed: Sequence[Row], as_of: datetime, version: str | None, previous: Publication
) -> dict[str, Any]:
    """The columns `reason`, `row_count`, `first_rows` and `evidence_json` of a restatement.

    The first that holds is the reason: other code built the table; the publication has an earlier as-of time; a rate of the month
    changed; source rows changed, by the reason of most rows; rows were open; else it is unknown.

    Args:
        figure: the figure.
        change: `organization_id`, `month`, `part` of the change.
        changed: what `changed_rows` has found.
        as_of: the as-of time of the new publication.
        version: the version of the code of the new publication, if it is known.
        previous: the publication before.
    """
    months = months_of(figure, change["month"], change["part"])
    evidence: list[dict[str, Any]] = [
        {
            "reason": row["reason"],
            "table": row["name"],
            "month": f"{row['month']:%Y-%m}",
            "rows": row["row_count"],
            "first": list(row["first_rows"]),
        }
        for row in changed
        if row["name"] in figure.rows and row["month"] in months and row["organization_id"] in (None, change["organization_id"])
    ]
    evidence.sort(key=lambda item: (-item["rows"], item["table"], item["month"], item["reason"]))
    reason: Reason
    if version and previous.code_version and version != previous.code_version:
        reason = "definition change"
        evidence.insert(0, {"reason": reason, "from": previous.code_version, "to": version})
    elif as_of < previous.as_of:
        reason = "as-of time"
        evidence.insert(0, {"reason": reason, "from": previous.as_of.isoformat(), "to": as_of.isoformat()})
    else:
        reason = _main_reason(evidence)
    caused = [item for item in evidence if item["reason"] == reason and "rows" in item]
    named = [f"{item['table']} {', '.join(item['first'])}" for item in caused]
    return {
        "reason": reason,
        "row_count": sum(item["rows"] for item in caused) or None,
        "first_rows": "; ".join(named) or None,
        "evidence_json": evidence,
    }


def _main_reason(evidence: Sequence[Mapping[str, Any]]) -> Reason:
    counts: dict[Reason, int] = {}
    for item in evidence:
        counts[item["reason"]] = counts.get(item["reason"], 0) + item["rows"]
    if "exchange rate" in counts:
        return "exchange rate"
    # Open rows explain a change only if no row has changed.
    caused = {reason: count for reason, count in counts.items() if reason != "as-of time"} or counts
    return max(caused, key=lambda reason: caused[reason], default="unknown")
