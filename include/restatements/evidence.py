# ruff: noqa: S608 - SQL contains only names that the source files and the figures declare, never data.
"""Why figures have changed: the source rows that a publication sees otherwise than the publication before."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from include.contract import TENANT, contract
from include.restatements.figures import TOTAL, Figure, Figures, Reason, Rows
from include.sources import load_sources
from include.sources.expressions import identifier
from include.sources.feeds import Feed, feeds
from include.sources.versions import deleted, expression, key_text, latest, latest_first, order_time, visible
from include.warehouse import Row, rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

    from include.sources import Source, Table

#: Keys of changed rows that are named.
NAMED_ROWS = 5
#: The source rows that people's decisions on accounts of several systems belong to.
_ACCOUNTS = "accounts"


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
    fed = feeds(load_sources())
    parts = [
        _rows_sql(name, figures.rows[name], found) for name in sorted(names) if (found := fed.get(figures.rows[name].entity))
    ]
    if _ACCOUNTS in names:
        parts.append(_DECISIONS)
    if not parts:
        return []
    parameters = {
        "months": sorted(months),
        "as_of": as_of,
        "previous_as_of": previous.as_of,
        "previous_published_at": previous.published_at,
    }
    return rows("\nunion all\n".join(parts), parameters, client)


def _rows_sql(name: str, declared: Rows, found: Sequence[Feed]) -> str:
    seen = [(source, table, visible(source, table)) for source, table in found]
    before = [
        (source, table, f"({condition.replace('@as_of', '@previous_as_of')}) and _loaded_at <= @previous_published_at")
        for source, table, condition in seen
    ]
    reason = (
        f"'{declared.reason}'"
        if declared.reason
        else """case
            when rows_before.facts is null then 'late arrival'
            when rows_now._is_deleted then 'deletion'
            when rows_now.facts != rows_before.facts then 'correction'
            when rows_now.progress != rows_before.progress then 'status history'
            when rows_now.counts = rows_before.counts then 'as-of time'
            when rows_now.last_progress != rows_before.last_progress then 'status history'
            else 'correction'
        end"""
    )
    return f"""select name, organization_id, month, reason, count(*) as row_count,
    array_agg(row_key order by row_key limit {NAMED_ROWS}) as first_rows
from (
    with rows_now as (
        {_united(declared, seen)}
    ),
    rows_before as (
        {_united(declared, before)}
    )
    select
        '{name}' as name,
        coalesce(rows_now.tenant, rows_before.tenant) as organization_id,
        rows_now.figure_month as month,
        {reason} as reason,
        rows_now.row_key
    from rows_now
    left join rows_before
        on rows_before.row_key = rows_now.row_key
        and rows_before.figure_month = rows_now.figure_month
    where
        rows_now.counts != coalesce(rows_before.counts, false)
        or (
            rows_now.counts
            and (
                rows_now.facts != rows_before.facts
                or rows_now.progress != rows_before.progress
                or rows_now.is_open
            )
        )
)
group by name, organization_id, month, reason"""


#: Decisions that the publication before did not know. They may change a figure of any month.
_DECISIONS = f"""select '{_ACCOUNTS}' as name, organization_id, figure_month as month, 'identity' as reason, count(*) as row_count,
    array_agg(row_key order by row_key limit {NAMED_ROWS}) as first_rows
from (
    select organization_id, figure_month, concat(account_id, ' and ', other_account_id) as row_key
    from ops.account_decisions cross join unnest(@months) as figure_month
    where decided_at > @previous_published_at
)
group by name, organization_id, month, reason"""


def _united(declared: Rows, seen: Sequence[tuple[Source, Table, str]]) -> str:
    """SQL for the rows of every table that feeds the entity; `seen` has the versions that count, as a condition on the raw table."""
    return "\nunion all\n".join(_versions_sql(declared, source, table, condition) for source, table, condition in seen)


def _versions_sql(declared: Rows, source: Source, table: Table, seen: str) -> str:
    """SQL for the latest version of each row of a raw table that fulfils the condition `seen`, per month.

    `counts` says whether the row counts in the month. A deleted row has no `facts`. Columns of `at_month_end` have the value of the
    version in force at the month's end. As in `int_billing__subscription_versions`, the first version is in force since ever.
    """
    entity = contract()[declared.entity]
    own = {column: _value(table, column) for column in entity.columns}
    organization = own.get(TENANT, "cast(null as string)")
    key, months = key_text([own[column] for column in entity.key]), "cross join unnest(@months) as figure_month"
    gone = deleted(table)

    def listed(columns: Sequence[str], at_month_end: bool = True) -> str:
        values = [
            f"first_value({own[column]}) over in_force" if at_month_end and column in declared.at_month_end else own[column]
            for column in columns
        ]
        return f"to_json_string([{', '.join(f'to_json_string({value})' for value in values)}])" if columns else "''"

    named = set(re.findall(r"\w+", f"{declared.when} {declared.open}"))
    read = "".join(f"{sql} as {column}, " for column, sql in own.items() if column in named)
    columns = f"""{key} as row_key, {organization} as tenant, {listed(declared.facts)} as facts,
            {listed(declared.progress)} as progress, {listed(declared.progress, at_month_end=False)} as last_progress"""
    of_table = f"{source.dataset}.{table.name}"
    if declared.at_month_end:
        changed = order_time(table)
        began = f"coalesce({changed} < timestamp(date_add(figure_month, interval 1 month)), true)"
        partition = f"partition by {', '.join(map(identifier, table.primary_key))}, figure_month"
        versions = f"""select *, {columns}
            from {of_table} {months}
            where {seen}
            qualify row_number() over ({partition} order by {latest_first(table)}) = 1
            window in_force as (
                {partition}
                order by
                    {gone},
                    {began} desc,
                    if({began}, {changed}, null) desc,
                    {changed},
                    {latest_first(table)}
            )"""
    else:
        versions = f"""select *, {columns}
            from {of_table}
            where {seen}
            {latest(table)}"""
    return f"""select row_key, tenant, figure_month, _is_deleted, progress, last_progress, if(_is_deleted, null, facts) as facts,
            not _is_deleted and coalesce({declared.when}, false) as counts, coalesce({declared.open}, false) as is_open
        from (
            select {read}{gone} as _is_deleted, row_key, tenant, facts, progress, last_progress{", figure_month" if declared.at_month_end else ""}
            from (
                {versions}
            )
        ) {"" if declared.at_month_end else months}"""


def _value(table: Table, column: str) -> str:
    """SQL of a contract column. An amount in a currency's smallest unit is shown as loaded, with its currency: only its changes matter here."""
    sql = expression(table, column)
    if "{{" not in sql:
        return sql
    mapped = table.mapped(column)
    read = mapped.columns() if mapped else ()
    names = [name for (source, _), name in table.raw.items() if source in read]
    return f"to_json_string([{', '.join(f'to_json_string({name})' for name in names)}])"


def months_of(figure: Figure, declared: Rows, month: date, part: str) -> set[date]:
    """The months whose source rows of one kind a figure counts."""
    bases = set()
    if figure.months_before:
        before = month.year * 12 + month.month - 1 - figure.months_before
        bases.add(date(before // 12, before % 12 + 1, 1))
    if part != TOTAL:
        bases.add(date.fromisoformat(part))
    return bases if figure.at_rates_of_base and declared.reason == "exchange rate" else {month, *bases}


def explain(
    figures: Figures,
    figure: Figure,
    change: Row,
    changed: Sequence[Row],
    as_of: datetime,
    version: str | None,
    previous: Publication,
) -> dict[str, Any]:
    """The columns `reason`, `row_count`, `first_rows` and `evidence_json` of a restatement.

    The first that holds is the reason: other code built the table; the publication has an earlier as-of time; a rate of the month
    changed; source rows changed, by the reason of most rows; rows were open; else it is unknown.

    Args:
        figures: the declared figures.
        figure: the figure.
        change: `organization_id`, `month`, `part` of the change.
        changed: what `changed_rows` has found.
        as_of: the as-of time of the new publication.
        version: the version of the code of the new publication, if it is known.
        previous: the publication before.
    """
    months = {name: months_of(figure, figures.rows[name], change["month"], change["part"]) for name in figure.rows}
    evidence: list[dict[str, Any]] = [
        {
            "reason": row["reason"],
            "table": row["name"],
            "month": f"{row['month']:%Y-%m}",
            "rows": row["row_count"],
            "first": list(row["first_rows"]),
        }
        for row in changed
        if row["month"] in months.get(row["name"], ()) and row["organization_id"] in (None, change["organization_id"])
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
