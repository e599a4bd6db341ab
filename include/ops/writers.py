# ruff: noqa: S608 - SQL is built from the platform's own names, never from data.
"""Creates the audit tables and writes to them. A rerun replaces its rows and never duplicates them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from include.ops.definition import Column, OpsTable
from include.ops.restatements import VIEWS
from include.ops.tables import DATASETS, TABLES, table
from include.settings import settings
from include.warehouse import client as new_client
from include.warehouse import execute
from include.warehouse import rows as read_rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

#: Characters of JSON sent with one statement. BigQuery takes 10 MB of query and parameters; escapes need room.
_CHUNK_CHARACTERS = 4_000_000
_LABELLED, _LABEL = "ops.pipeline_runs", "audit_tables"
#: The label's value while tables are renamed. A rerun of an interrupted upgrade recognizes it, and creates the missing views.
_UPGRADING = "upgrading"


def ensure_tables(sources: Iterable[str] | None = None, client: Client | None = None) -> None:
    """Create the missing datasets of the platform, the missing audit tables and their views.

    Existing tables get the columns that their definition has gained, and the descriptions of today. Tables and columns with
    former names are renamed, and a view keeps the former names. A label of `ops.pipeline_runs` holds the digest of the last
    applied definition. If the digest is unchanged, no query is sent. Several tasks may call this at once.

    Args:
        sources: names of the sources; each gets a dataset `raw_<source>`. By default all sources.
        client: a BigQuery client; one is made if not given.
    """
    from google.cloud import bigquery

    if sources is None:
        from include.sources import load_sources

        sources = load_sources()
    bq = client or new_client()
    wanted = {f"raw_{name}": f"Data of the source {name} as received, append-only." for name in sources} | DATASETS
    present = {dataset.dataset_id for dataset in bq.list_datasets()}
    for name, description in wanted.items():
        if name not in present:
            dataset = bigquery.Dataset(f"{bq.project}.{name}")
            dataset.location = settings().location
            dataset.description = description
            bq.create_dataset(dataset, exists_ok=True)
    datasets = sorted({name.partition(".")[0] for name in TABLES})
    kinds = {f"{name}.{item.table_id}": item.table_type for name in datasets for item in bq.list_tables(name)}
    label = bq.get_table(_LABELLED).labels.get(_LABEL) if _LABELLED in kinds else None
    digest = hashlib.md5(repr((DATASETS, TABLES, VIEWS)).encode(), usedforsecurity=False).hexdigest()
    if kinds.keys() >= TABLES.keys() | VIEWS.keys() and label == digest:
        return
    renamed = [definition for definition in TABLES.values() if kinds.get(definition.former) == "TABLE"]
    if renamed:
        _set_label(bq, _UPGRADING)
    for definition in renamed:
        _rename(bq, definition, kinds)
    known = _columns(bq, datasets)
    for name, definition in TABLES.items():
        if not known.get(name, set()) >= {column.name for column in definition.columns}:
            _ensure_table(bq, definition)
        if definition.former and (renamed or label == _UPGRADING):
            _create_former_view(bq, definition)
        _describe_table(bq, definition)
    for name in DATASETS.keys() & present:
        _describe_dataset(bq, name)
    for name, (description, sql) in VIEWS.items():
        _create_view(bq, name, description, sql)
    _set_label(bq, digest)


def _set_label(bq: Client, value: str) -> None:
    from google.cloud import bigquery

    # A table without an etag: of several tasks that write the label at once, none is refused.
    labelled = bigquery.Table(f"{bq.project}.{_LABELLED}")
    labelled.labels = {**bq.get_table(_LABELLED).labels, _LABEL: value}
    bq.update_table(labelled, ["labels"])


def _rename(bq: Client, definition: OpsTable, kinds: Mapping[str, str]) -> None:
    """Rename a table of the release before. It keeps its rows."""
    if definition.qualified in kinds:
        raise RuntimeError(
            f"{definition.former} and {definition.qualified} are both tables, because a task of the former release has run during the "
            f"upgrade. Stop the former release, copy the rows that {definition.qualified} lacks, and run: drop table {definition.former}"
        )

    def is_renamed() -> bool:
        return any(item.table_id == definition.name for item in bq.list_tables(definition.dataset))

    _execute_once(bq, f"alter table {definition.former} rename to {definition.name}", is_renamed)


def _rename_column(bq: Client, definition: OpsTable, column: Column) -> None:
    """Rename a column of the release before."""

    def is_renamed() -> bool:
        return any(field.name == column.name for field in bq.get_table(definition.qualified).schema)

    _execute_once(bq, f"alter table {definition.qualified} rename column {column.formerly} to {column.name}", is_renamed)


def _create_former_view(bq: Client, definition: OpsTable) -> None:
    """Create the view with the table's former name and the former names of its columns, unless it exists."""
    columns = ", ".join(f"{c.name} as {c.formerly}" if c.formerly else c.name for c in definition.columns)
    execute(
        f"create view if not exists {definition.former} "
        f"options (description = 'Former name of {definition.qualified}. The next release drops this view.') "
        f"as select {columns} from `{bq.project}`.{definition.qualified}",
        client=bq,
    )


def _describe_table(bq: Client, definition: OpsTable) -> None:
    """Bring the descriptions of an existing table and its columns up to date. Columns that the definition lacks keep theirs."""
    from google.cloud import bigquery

    table = bq.get_table(definition.qualified)
    texts = {column.name: column.description for column in definition.columns}
    fields = [field.to_api_repr() for field in table.schema]
    described = [field | {"description": texts.get(field["name"], field.get("description"))} for field in fields]
    if (fields, table.description) == (described, definition.description):
        return
    # A table without an etag: see `_set_label`.
    wanted = bigquery.Table(table.reference, schema=[bigquery.SchemaField.from_api_repr(field) for field in described])
    wanted.description = definition.description
    bq.update_table(wanted, ["schema", "description"])


def _describe_dataset(bq: Client, name: str) -> None:
    from google.cloud import bigquery

    dataset = bq.get_dataset(name)
    if dataset.description != DATASETS[name]:
        wanted = bigquery.Dataset(dataset.reference)
        wanted.description = DATASETS[name]
        bq.update_dataset(wanted, ["description"])


def _create_view(bq: Client, name: str, description: str, sql: str) -> None:
    text = json.dumps(description, ensure_ascii=False)
    execute(f"create or replace view {name} options (description = {text}) as {sql.format(project=bq.project)}", client=bq)


def _execute_once(bq: Client, sql: str, is_done: Callable[[], bool]) -> None:
    """Run a statement that another task may have run since. Its error counts only if it is not done."""
    from google.api_core.exceptions import GoogleAPICallError

    try:
        execute(sql, client=bq)
    except GoogleAPICallError:
        if not is_done():
            raise


def _columns(bq: Client, datasets: Iterable[str]) -> dict[str, set[str]]:
    """The columns of the existing tables in these datasets, by qualified name. One query, because one per table takes seconds."""
    parts = [
        f"select concat('{dataset}.', table_name) as name, column_name from `{dataset}`.INFORMATION_SCHEMA.COLUMNS"
        for dataset in datasets
    ]
    columns: dict[str, set[str]] = {}
    for row in read_rows(" union all ".join(parts), client=bq):
        columns.setdefault(row["name"], set()).add(row["column_name"])
    return columns


def _ensure_table(bq: Client, definition: OpsTable) -> None:
    from google.cloud import bigquery

    fields = [
        bigquery.SchemaField(c.name, c.type, mode="REQUIRED" if c.required else "NULLABLE", description=c.description)
        for c in definition.columns
    ]
    wanted = bigquery.Table(f"{bq.project}.{definition.qualified}", schema=fields)
    wanted.description = definition.description
    wanted.time_partitioning = bigquery.TimePartitioning(field=definition.partition_by)
    wanted.clustering_fields = list(definition.cluster_by)
    present = bq.create_table(wanted, exists_ok=True)
    known = {field.name for field in present.schema}
    for column in definition.columns:
        if column.formerly in known:
            _rename_column(bq, definition, column)
            known.add(column.name)
    # New columns are nullable: BigQuery adds no required column to an existing table.
    missing = [
        f"add column if not exists `{c.name}` {c.type} options (description = {json.dumps(c.description, ensure_ascii=False)})"
        for c in definition.columns
        if c.name not in known
    ]
    if missing:
        # One statement: BigQuery takes five changes of a table's schema in ten seconds.
        execute(f"alter table {definition.qualified} {', '.join(missing)}", client=bq)


def append(
    table_name: str,
    rows: Iterable[Mapping[str, Any]],
    replace_where: Mapping[str, Any] | None = None,
    client: Client | None = None,
    unless_present: str | None = None,
) -> int:
    """Write rows to one audit table.

    One MERGE deletes the rows that match `replace_where` and inserts the new ones, so both happen or neither.
    More than about 4 MB of rows take further inserts; a rerun still converges.

    Args:
        table_name: qualified, for example `ops.loads`.
        rows: column → value; a column left out is NULL, one that the table does not have is an error.
        replace_where: column → value, list of values, or None for NULL. Existing rows that match all of them are
            deleted first, also when `rows` is empty. No row matches an empty list.
        client: a BigQuery client; one is made if not given.
        unless_present: a key column; a row is not inserted if its key exists already. Two processes may still insert the
            same key at the same instant, because BigQuery enforces no keys. Concurrent callers must check afterwards.

    Returns:
        The number of rows given.

    Raises:
        KeyError: an unknown table or column.
    """
    target = table(table_name)
    encoded = [_encode(target, row) for row in rows]
    if not encoded and replace_where is None:
        return 0
    bq = client or new_client()
    for position, chunk in enumerate(_chunks(encoded)):
        _write(bq, target, chunk, replace_where if position == 0 else None, unless_present)
    return len(encoded)


def _write(
    bq: Client, target: OpsTable, rows: Sequence[str], replace_where: Mapping[str, Any] | None, unless_present: str | None
) -> None:
    names = ", ".join(f"`{c.name}`" for c in target.columns)
    values = ", ".join(f"cast(json_value(item, '$.{c.name}') as {c.type}) as `{c.name}`" for c in target.columns)
    source = f"select {values} from unnest(json_query_array(@rows)) as item"
    parameters: dict[str, Any] = {"rows": f"[{','.join(rows)}]"}
    if unless_present is not None:
        same = f"t.`{target.column(unless_present).name}` = s.`{unless_present}`"
        sql = (
            f"merge {target.qualified} as t using ({source}) as s on {same} "
            f"when not matched then insert ({names}) values ({names})"
        )
    elif replace_where is None:
        sql = f"insert into {target.qualified} ({names}) {source}"
    else:
        condition, more = _condition(target, replace_where)
        parameters |= more
        sql = (
            f"merge {target.qualified} as t using ({source}) as s on false "
            f"when not matched by source and {condition} then delete "
            f"when not matched then insert ({names}) values ({names})"
        )
    execute(sql, parameters, bq)


def _condition(target: OpsTable, where: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The SQL condition and its query parameters for `replace_where`."""
    if not where:
        raise ValueError(f"replace_where is empty: it would delete all of {target.qualified}.")
    clauses: list[str] = []
    parameters: dict[str, Any] = {}
    for position, (name, value) in enumerate(where.items()):
        target.column(name)
        if value is None:
            clauses.append(f"t.`{name}` is null")
        elif isinstance(value, list | tuple | set | frozenset) and not value:
            # An empty array has no type that fits every column.
            clauses.append("false")
        elif isinstance(value, list | tuple | set | frozenset):
            clauses.append(f"t.`{name}` in unnest(@w{position})")
            parameters[f"w{position}"] = sorted(value)
        else:
            clauses.append(f"t.`{name}` = @w{position}")
            parameters[f"w{position}"] = value
    return " and ".join(clauses), parameters


def _encode(target: OpsTable, row: Mapping[str, Any]) -> str:
    for name in row:
        target.column(name)
    return json.dumps({name: _text(value) for name, value in row.items() if value is not None}, ensure_ascii=False)


def _text(value: Any) -> str:
    """A value as GoogleSQL's CAST reads it back."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"a timestamp must carry a timezone, got the naive {value.isoformat()}")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, str):
        # JSON cannot carry NUL into the warehouse, nor half of a surrogate pair.
        return value.replace("\x00", "\\u0000").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, int | float | Decimal | date):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _chunks(rows: Sequence[str]) -> Iterator[list[str]]:
    """Batches of encoded rows, each within what one statement may carry; one empty batch for no rows."""
    chunk: list[str] = []
    size = 0
    for row in rows:
        if chunk and size + len(row) > _CHUNK_CHARACTERS:
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += len(row) + 1
    yield chunk
