"""Loads one source into `raw`: read, conform, compare keys, load, and write the audit tables."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.connection import SourceConnection
from include.ingestion import audit
from include.ingestion.deduplication import COMPARED_ROWS, latest_versions
from include.ingestion.delete_detection import DeletesRefused, KeyFile, compare_keys
from include.ingestion.dlt_pipeline import configure, open_pipeline
from include.ingestion.raw import FILES_TABLE, RawTables
from include.ingestion.report import LoadError, LoadPostponed, LoadReport, TableReport
from include.ingestion.tables import TableLoad
from include.run_context import latest_as_of
from include.sources.readers import open_reader
from include.sources.readers.pieces import QuotaUsedUp, ReadError, Window
from include.sources.rest_settings import is_bounded

if TYPE_CHECKING:
    import dlt
    from google.cloud.bigquery import Client

    from include.run_context import RunContext
    from include.sources.readers.pieces import Reader
    from include.sources.schema import Source, Table

log = logging.getLogger(__name__)

TABLES_AT_ONCE = 4


def load(source: Source, connection: SourceConnection, run: RunContext) -> LoadReport:
    """Load the new and changed rows of a source into its raw tables.

    Every table is read from its last cursor value, minus the overlap, up to `run.as_of`. A full refresh reads the whole
    table, and so does a backfill of a day or more. The call may be killed and repeated at any point: dlt commits the
    cursor to the warehouse together with the rows. Tables that name a connection of their own are read through that one.

    Raises:
        LoadError: a table could not be read, or its deletes were refused. All other tables have been loaded. Or the as-of time is
            in the future; nothing has been loaded.
        LoadPostponed: the same, because the system refuses more requests for a while.
    """
    if run.as_of > latest_as_of():
        raise LoadError(
            f"{source.name} is not loaded for {run.as_of:%Y-%m-%d %H:%M} UTC: this as-of time is more than a day in the future. Its cursor "
            "would move there, and later runs would find nothing new. Give as_of of today or an earlier day"
        )
    configure()
    return _SourceLoad(source, connection, run).run()


class _SourceLoad:
    def __init__(self, source: Source, connection: SourceConnection, run: RunContext) -> None:
        from include.warehouse import client

        self._source = source
        self._connections = {source.connection: connection}
        self._readers: dict[str, Reader] = {}
        self._run = run
        self._refused = False
        self._batch_id = run.batch_id(source.name)
        self._client: Client = client(source=source.name)
        now = datetime.now(UTC)
        self._report = LoadReport(source.name, self._batch_id, {n: TableReport(n, now) for n in source.tables})

    def run(self) -> LoadReport:
        started = time.monotonic()
        try:
            for conn_id in {self._connection_of(table) for table in self._source.tables.values()}:
                self._open(conn_id)
            self._load()
        finally:
            for reader in self._readers.values():
                reader.close()
        audit.write_loads(self._report, self._run, self._client)
        self._report.seconds = time.monotonic() - started
        log.info("Loaded %s: %s", self._batch_id, self._report.summary())
        failures = [f"{name}: {table.failure}" for name, table in self._report.tables.items() if table.failure]
        if failures:
            loaded = len(self._report.tables) - len(failures)
            raise (LoadPostponed if self._refused else LoadError)(
                f"{len(failures)} of {len(self._report.tables)} tables of {self._source.name} failed "
                f"({loaded} loaded):\n" + "\n".join(failures)
            )
        return self._report

    def _connection_of(self, table: Table) -> str:
        return table.connection or self._source.connection

    def _open(self, conn_id: str) -> None:
        """Open the reader of a connection. If that fails, its tables have failed. Without any other table, so has the load."""
        try:
            connection = self._connections.get(conn_id) or SourceConnection.from_airflow(conn_id)
            self._connections[conn_id] = connection
            reader = open_reader(self._source, connection)
            self._readers[conn_id] = reader
            reader.check()
        except Exception as error:
            message = self._redact(f"{self._source.name} cannot be read: {error}")
            failed = [table for table in self._source.tables.values() if self._connection_of(table) == conn_id]
            if len(failed) == len(self._source.tables):
                raise LoadError(message) from None
            for table in failed:
                self._report.tables[table.name].failure = f"connection {conn_id}: {message}"

    def _reader(self, table_load: TableLoad) -> Reader:
        return self._readers[self._connection_of(table_load.table)]

    def _load(self) -> None:
        raw = RawTables(self._source, self._client)
        raw.ensure()
        for name, conflict in raw.conflicts.items():
            self._report.tables[name].failure = conflict
        pipeline = open_pipeline(self._source, recreated=raw.empty)
        try:
            seen = raw.files_seen()
            table_loads = [
                self._table_load(table, raw, pipeline, seen.get(table.name, {}))
                for table in self._source.tables.values()
                if self._report.tables[table.name].failure is None
            ]

            self._in_parallel(table_loads, lambda table_load: table_load.spool(self._reader(table_load)))
            table_loads = [table_load for table_load in table_loads if table_load.report.complete]
            for table_load in table_loads:
                table_load.report.is_whole = self._is_whole(table_load, raw)
            self._compare_keys(table_loads, raw, Path(pipeline.working_dir) / "keys.parquet")
            if self._source.reader.type == "files":
                # A refused delivery is not trusted, and the next run must refuse it again: none of its rows and checksums is loaded.
                for table_load in table_loads:
                    table_load.report.complete = table_load.report.failure is None
                table_loads = [table_load for table_load in table_loads if table_load.report.complete]
            if not self._run.full_refresh:
                self._drop_unchanged(table_loads, raw)
            audit.write_findings(self._report, self._client)
            if table_loads:
                _load(pipeline, self._source, raw, table_loads)
        except LoadError:
            raise
        except Exception as error:
            log.error("%s", self._redact(traceback.format_exc()))
            raise LoadError(self._redact(f"{self._source.name} could not be loaded: {_cause(error)}")) from None
        finally:
            pipeline.deactivate()

    def _is_whole(self, table_load: TableLoad, raw: RawTables) -> bool:
        """True if the whole table was read. Files are read whole if none was read before, or if one of a complete delivery is new."""
        reader = self._source.reader
        if reader.type == "rest" and not is_bounded(reader, self._source.declared, table_load.table):
            return True
        if table_load.window.since is not None or table_load.window.token is not None:
            return False
        new_delivery = table_load.table.detect_deletes and bool(table_load.files)
        return reader.type != "files" or new_delivery or self._run.full_refresh or table_load.table.name in raw.empty

    def _table_load(self, table: Table, raw: RawTables, pipeline: dlt.Pipeline, seen: dict[str, str]) -> TableLoad:
        state = {} if table.name in raw.empty else _table_state(pipeline, self._source, table)
        return TableLoad(
            table=table,
            batch_id=self._batch_id,
            window=Window(self._since(table, state), self._run.as_of, self._token(state)),
            known=raw.undeclared(table),
            seen={} if self._run.full_refresh else seen,
            report=self._report.tables[table.name],
            folder=Path(pipeline.working_dir) / "spool" / table.name,
            lacking={name: since and datetime.fromisoformat(since) for name, since in state.get("lacking", {}).items()},
        )

    def _since(self, table: Table, state: dict[str, Any]) -> datetime | None:
        """The first cursor value to read (UTC). None: read the whole table."""
        if table.cursor is None or "cursor" not in state or self._run.full_refresh:
            return None
        last = datetime.fromisoformat(state["as_of"])
        if self._run.as_of < last:
            # A later run has moved the cursor past this run's as-of time. A backfill of a day or more reads the whole table,
            # because the source may show older versions of its rows again. A nightly run that starts after refreshes
            # continues from the last load whose as-of time is not after its own.
            earlier = self._loaded_before.get(table.name) if last - self._run.as_of < timedelta(days=1) else None
            return None if earlier is None else earlier - table.overlap
        return datetime.fromisoformat(state["cursor"]) - table.overlap

    def _token(self, state: dict[str, Any]) -> str | None:
        """Where the last load has ended, as the system names it. None: read the whole table, as a backfill of a day or more does."""
        if "token" not in state or self._run.full_refresh:
            return None
        earlier = self._run.as_of <= datetime.fromisoformat(state["as_of"]) - timedelta(days=1)
        return None if earlier else str(state["token"])

    @cached_property
    def _loaded_before(self) -> dict[str, datetime]:
        return audit.loaded_before(self._source.name, self._batch_id, self._client)

    def _in_parallel(self, table_loads: list[TableLoad], work: Callable[[TableLoad], None]) -> None:
        """Call `work` for all tables, several at a time. Each thread has its own dlt context.

        If a table fails, its report gets the failure and the other tables continue.
        """

        def guarded(table_load: TableLoad) -> None:
            try:
                work(table_load)
            except Exception as error:
                table_load.report.failure = self._redact(_cause(error))
                self._refused |= isinstance(error, QuotaUsedUp)
                where = f"{self._source.name}.{table_load.table.name}"
                log.error("%s could not be read: %s", where, self._redact(traceback.format_exc()))

        with ThreadPoolExecutor(TABLES_AT_ONCE, thread_name_prefix=f"read-{self._source.name}") as pool:
            list(pool.map(guarded, table_loads))

    def _compare_keys(self, table_loads: list[TableLoad], raw: RawTables, path: Path) -> None:
        """Compare the keys of the source with raw. Write tombstones for deleted rows, or report why they were refused; read missing rows."""
        wanted = [item for item in table_loads if item.table.name not in raw.empty and self._has_all_keys(item)]
        if not wanted:
            return
        keys = KeyFile(path)

        def collect(table_load: TableLoad) -> None:
            reader = self._reader(table_load)
            held = table_load.spooled_keys if self._source.reader.type == "files" else lambda: reader.keys(table_load.table)

            def add_held() -> None:
                for part in held():
                    keys.add(table_load.table, part, is_read=False)

            table_load.with_retries(reader, add_held)
            for part in table_load.spooled_keys():
                keys.add(table_load.table, part, is_read=True)

        self._in_parallel(wanted, collect)
        keys.close()
        collected = {item.table.name: item for item in wanted if item.report.failure is None}
        if not collected:
            return
        found = compare_keys(self._client, self._source, [item.table for item in collected.values()], keys, self._run.as_of)
        for name, difference in found.items():
            if isinstance(difference.deleted, DeletesRefused):
                collected[name].report.failure = str(difference.deleted)
            elif difference.deleted is not None:
                collected[name].write_tombstones(difference.deleted)
        self._in_parallel(
            [collected[name] for name in found],
            lambda table_load: table_load.recover(self._reader(table_load), found[table_load.table.name]),
        )
        for table_load in collected.values():
            if count := table_load.report.recovered:
                where = f"{self._source.name}.{table_load.table.name}"
                log.warning("%s: the cursor had missed %d rows; they were found by a comparison of keys", where, count)

    def _drop_unchanged(self, table_loads: list[TableLoad], raw: RawTables) -> None:
        """Keep only the rows that differ from raw, for tables that are read whole."""
        for table_load in table_loads:
            events = self._source.reader.type == "files" and not table_load.table.detect_deletes
            whole = table_load.table.cursor is None and not events and table_load.table.name not in raw.empty
            # The raw gate checks the share of rejected records, so a table with rejected records is loaded whole.
            if whole and not table_load.report.rejected and 0 < table_load.report.rows <= COMPARED_ROWS:
                table_load.drop_unchanged(latest_versions(self._client, self._source, table_load.table))

    def _has_all_keys(self, table_load: TableLoad) -> bool:
        """True if deletes are detected for the table and all keys of the source are known. Rejected records hide keys."""
        if not table_load.table.detect_deletes:
            return False
        if self._source.reader.type != "files":
            return True
        if table_load.report.rejected:
            log.warning("%s: records were rejected, so this run detects no deletes", table_load.table.name)
        return bool(table_load.files) and not table_load.report.rejected

    def _redact(self, text: str) -> str:
        for connection in self._connections.values():
            text = connection.redact(text)
        return text


def _table_state(pipeline: dlt.Pipeline, source: Source, table: Table) -> dict[str, Any]:
    resources = pipeline.state.get("sources", {}).get(source.name, {}).get("resources", {})
    state: dict[str, Any] = resources.get(table.name, {})
    return {} if _is_of_the_future(state) else state


def _is_of_the_future(state: dict[str, Any]) -> bool:
    """True if a run with a future as-of time has written the state. Its cursor would hide all rows until then."""
    return "as_of" in state and datetime.fromisoformat(state["as_of"]) > latest_as_of()


def _load(pipeline: dlt.Pipeline, source: Source, raw: RawTables, table_loads: list[TableLoad]) -> None:
    """Pass the spooled tables to dlt as one package. dlt loads the rows and then commits the cursors."""
    import dlt

    def rows(table_load: TableLoad) -> Iterator[Any]:
        yield from table_load.chunks()
        if table_load.files:
            yield dlt.mark.with_table_name(table_load.files_read(), FILES_TABLE)
        _save_cursor(table_load, dlt.current.resource_state(table_load.table.name))

    # dlt searches all imported modules for the module of a generator. `chain` hides the generator and avoids the search.
    resources = [
        dlt.resource(chain(rows(table_load)), name=table_load.table.name, write_disposition="append")
        for table_load in table_loads
    ]
    for table_load in table_loads:
        raw.extend(table_load.table, table_load.schema())
    package = dlt.source(lambda: resources, name=source.name)
    pipeline.extract(package(), loader_file_format="parquet")
    pipeline.normalize()
    pipeline.load()


def _save_cursor(table_load: TableLoad, state: dict[str, Any]) -> None:
    """Advance the table's cursor in the state that dlt commits together with the rows. A state of the future is replaced."""
    if _is_of_the_future(state):
        state.clear()
    if table_load.token is not None:
        state["token"] = table_load.token
        state["as_of"] = max(state.get("as_of", ""), table_load.window.until.isoformat())
    if table_load.table.cursor is None:
        return
    state["lacking"] = {name: since and since.isoformat() for name, since in table_load.lacking.items()}
    for key, value in (("cursor", table_load.cursor), ("as_of", table_load.window.until)):
        if value is not None and ("cursor" in state or table_load.cursor is not None):
            saved = datetime.fromisoformat(state[key]) if key in state else value
            state[key] = max(saved, value).isoformat()


def _cause(error: BaseException) -> str:
    """The failure in one line: the message of a ReadError, otherwise the innermost cause, because dlt wraps errors."""
    while error.__cause__ is not None and not isinstance(error, ReadError):
        error = error.__cause__
    text = str(error).strip().partition("\n")[0]
    if isinstance(error, ReadError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
