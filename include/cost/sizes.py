"""The sizes of the tables of a warehouse, by BigQuery's rules for logical bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.cloud.bigquery import Client, SchemaField, Table

#: Bytes of a value that is not NULL; NULL counts 0.
_FIXED = {
    "INTEGER": 8,
    "INT64": 8,
    "FLOAT": 8,
    "FLOAT64": 8,
    "NUMERIC": 16,
    "BIGNUMERIC": 32,
    "BOOLEAN": 1,
    "BOOL": 1,
    "DATE": 8,
    "DATETIME": 8,
    "TIME": 8,
    "TIMESTAMP": 8,
}
_AT_ONCE = 8
#: BigQuery's name of the partition for rows without a value.
NO_VALUE = "__NULL__"


@dataclass(frozen=True)
class Size:
    """A stored table.

    Attributes:
        rows: the number of rows.
        columns: column → logical bytes.
        partitions: first day of a partition (ISO date, or NO_VALUE) → its rows; empty if the table has no partitions, or if they are unknown.
        partition_type: `DAY`, `MONTH`, …
    """

    rows: int
    columns: Mapping[str, int]
    partitions: Mapping[str, int] = field(default_factory=dict)
    partition_type: str | None = None

    @property
    def bytes(self) -> int:
        return sum(self.columns.values())

    def times(self, factor: float) -> Size:
        """The same table with `factor` times the rows, in the same partitions."""
        columns = {name: round(size * factor) for name, size in self.columns.items()}
        partitions = {day: round(rows * factor) for day, rows in self.partitions.items()}
        return replace(self, rows=round(self.rows * factor), columns=columns, partitions=partitions)


def measured(bq: Client, partitioning: Mapping[str, tuple[str, str]]) -> dict[str, Size]:
    """`dataset.table` → its size, for all tables of the client's project. Reads each table once, which BigQuery would bill.

    Args:
        bq: a client of the local warehouse, which does not know the partitioning of every table.
        partitioning: `dataset.table` → its partition column, and `DAY`, `MONTH` or `YEAR`.
    """
    return _of_tables(bq, lambda table: _by_query(bq, table, partitioning.get(f"{table.dataset_id}.{table.table_id}")))


def estimated(bq: Client) -> dict[str, Size]:
    """The same from dry runs, one for each column, which BigQuery does not bill. They do not show the rows of partitions."""
    return _of_tables(bq, lambda table: _by_dry_run(bq, table))


def _of_tables(bq: Client, measure: Callable[[Table], Size]) -> dict[str, Size]:
    listed = list(_tables(bq))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        sizes = list(pool.map(measure, listed))
    return {f"{table.dataset_id}.{table.table_id}": size for table, size in zip(listed, sizes, strict=True)}


def _tables(bq: Client) -> Iterator[Table]:
    for dataset in bq.list_datasets():
        for item in bq.list_tables(dataset.reference):
            if item.table_type == "TABLE":
                yield bq.get_table(item.reference)


def _by_query(bq: Client, table: Table, partitioning: tuple[str, str] | None) -> Size:
    # Imported here: `make check-google` imports this module in an environment without the platform's packages.
    from include.warehouse import rows

    (row,) = rows(measuring_sql(table), client=bq)
    columns = {item.name: int(row[f"c{place}"] or 0) for place, item in enumerate(table.schema)}
    size = Size(int(row["row_count"]), columns)
    if partitioning is None and table.time_partitioning is not None and table.time_partitioning.field:
        partitioning = (table.time_partitioning.field, table.time_partitioning.type_)
    if partitioning is None:
        return size
    field, kind = partitioning
    counted = rows(
        f"select coalesce(cast(date_trunc(date(`{field}`), {kind}) as string), '{NO_VALUE}') as first_day, "  # noqa: S608
        f"count(*) as row_count from `{table.dataset_id}`.`{table.table_id}` group by 1",
        client=bq,
    )
    return replace(size, partitions={found["first_day"]: found["row_count"] for found in counted}, partition_type=kind)


def _by_dry_run(bq: Client, table: Table) -> Size:
    from google.cloud.bigquery import QueryJobConfig

    name = f"`{table.project}`.`{table.dataset_id}`.`{table.table_id}`"
    columns = {
        item.name: int(
            bq.query(
                f"select `{item.name}` from {name}",  # noqa: S608
                QueryJobConfig(dry_run=True, use_query_cache=False),
            ).total_bytes_processed
        )
        for item in table.schema
    }
    kind = table.time_partitioning.type_ if table.time_partitioning else None
    return Size(int(table.num_rows), columns, {}, kind)


def measuring_sql(table: Table) -> str:
    """One row: `row_count`, and `c0`, `c1`, … with the logical bytes of each column."""
    sums = [f"sum({bytes_of(item)}) as c{place}" for place, item in enumerate(table.schema)]
    return f"select count(*) as row_count, {', '.join(sums)} from `{table.dataset_id}`.`{table.table_id}`"  # noqa: S608


def bytes_of(column: SchemaField) -> str:
    """SQL for the logical bytes of one value. Arrays, structs and JSON count as their JSON text."""
    name = f"`{column.name}`"
    if column.mode == "REPEATED" or column.field_type in {"RECORD", "STRUCT", "JSON"}:
        return f"if({name} is null, 0, 2 + byte_length(to_json_string({name})))"
    if column.field_type in _FIXED:
        return f"if({name} is null, 0, {_FIXED[column.field_type]})"
    return f"if({name} is null, 0, 2 + byte_length({name}))"
