"""Loads one source into `raw`: read, conform, detect deletes, load, and write the audit tables."""

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

from include.ingestion import audit
from include.ingestion.deduplication import COMPARED_ROWS, latest_versions
from include.ingestion.delete_detection import DeletesRefused, KeyFile, find_deleted
from include.ingestion.dlt_pipeline import configure, open_pipeline
from include.ingestion.raw import FILES_TABLE, RawTables
from include.ingestion.report import LandingError, LandingReport, TableReport
from include.ingestion.tables import TableLanding
from include.sources.readers import open_reader
from include.sources.readers.pieces import ReadError, Window

if TYPE_CHECKING:
    import dlt
    from google.cloud.bigquery import Client

    from include.connection import SourceConnection
    from include.run_context import RunContext
    from include.sources.readers.pieces import Reader
    from include.sources.schema import Source, Table

log = logging.getLogger(__name__)

TABLES_AT_ONCE = 4


def land(source: Source, connection: SourceConnection, run: RunContext) -> LandingReport:
    """Load the new and changed rows of a source into its raw tables.

    Every table is read from its last cursor value, minus the overlap, up to `run.as_of`. A full refresh reads the whole
    table, and so does a backfill of a day or more. The call may be killed and repeated at any point: dlt commits the
    cursor to the warehouse together with the rows.

    Raises:
        LandingError: a table could not be read, or its deletes were refused. All other tables have been loaded.
    """
    configure()
    return _Landing(source, connection, run).run()


class _Landing:
    def __init__(self, source: Source, connection: SourceConnection, run: RunContext) -> None:
        from include.warehouse import client

        self._source = source
        self._connection = connection
        self._run = run
        self._batch_id = run.batch_id(source.name)
        self._client: Client = client(source=source.name)
        now = datetime.now(UTC)
        self._report = LandingReport(source.name, self._batch_id, {n: TableReport(n, now) for n in source.tables})

    def run(self) -> LandingReport:
        started = time.monotonic()
        try:
            reader = open_reader(self._source, self._connection)
            reader.check()
        except Exception as error:
            raise LandingError(self._redact(f"{self._source.name} cannot be read: {error}")) from None
        try:
            self._load(reader)
        finally:
            reader.close()
        audit.write_loads(self._report, self._run, self._client)
        self._report.seconds = time.monotonic() - started
        log.info("Loaded %s: %s", self._batch_id, self._report.summary())
        failures = [f"{name}: {table.failure}" for name, table in self._report.tables.items() if table.failure]
        if failures:
            loaded = len(self._report.tables) - len(failures)
            raise LandingError(
                f"{len(failures)} of {len(self._report.tables)} tables of {self._source.name} failed "
                f"({loaded} loaded):\n" + "\n".join(failures)
            )
        return self._report

    def _load(self, reader: Reader) -> None:
        raw = RawTables(self._source, self._client)
        raw.ensure()
        for name, conflict in raw.conflicts.items():
            self._report.tables[name].failure = conflict
        pipeline = open_pipeline(self._source, recreated=raw.empty)
        try:
            seen = raw.files_seen()
            landings = [
                self._table_landing(table, raw, pipeline, seen.get(table.name, {}))
                for table in self._source.tables.values()
                if table.name not in raw.conflicts
            ]

            self._in_parallel(landings, lambda landing: landing.spool(reader))
            landings = [landing for landing in landings if landing.report.complete]
            self._detect_deletes(landings, reader, raw, Path(pipeline.working_dir) / "keys.parquet")
            if not self._run.full_refresh:
                self._drop_unchanged(landings, raw)
            audit.write_findings(self._report, self._client)
            if landings:
                _load(pipeline, self._source, raw, landings)
        except LandingError:
            raise
        except Exception as error:
            log.error("%s", self._redact(traceback.format_exc()))
            raise LandingError(self._redact(f"{self._source.name} could not be loaded: {_cause(error)}")) from None
        finally:
            pipeline.deactivate()

    def _table_landing(self, table: Table, raw: RawTables, pipeline: dlt.Pipeline, seen: dict[str, str]) -> TableLanding:
        return TableLanding(
            table=table,
            batch_id=self._batch_id,
            window=Window(self._since(table, raw, pipeline), self._run.as_of),
            known=raw.undeclared(table),
            seen={} if self._run.full_refresh else seen,
            report=self._report.tables[table.name],
            folder=Path(pipeline.working_dir) / "spool" / table.name,
        )

    def _since(self, table: Table, raw: RawTables, pipeline: dlt.Pipeline) -> datetime | None:
        """The first cursor value to read (UTC). None: read the whole table."""
        state = _table_state(pipeline, self._source, table)
        if table.cursor is None or "cursor" not in state or self._run.full_refresh or table.name in raw.empty:
            return None
        last = datetime.fromisoformat(state["as_of"])
        if self._run.as_of < last:
            # A later run has moved the cursor past this run's as-of time. A backfill of a day or more reads the whole table,
            # because the source may show older versions of its rows again. A nightly run that starts after refreshes
            # continues from the last load whose as-of time is not after its own.
            earlier = self._loaded_before.get(table.name) if last - self._run.as_of < timedelta(days=1) else None
            return None if earlier is None else earlier - table.overlap
        return datetime.fromisoformat(state["cursor"]) - table.overlap

    @cached_property
    def _loaded_before(self) -> dict[str, datetime]:
        return audit.loaded_before(self._source.name, self._batch_id, self._client)

    def _in_parallel(self, landings: list[TableLanding], work: Callable[[TableLanding], None]) -> None:
        """Call `work` for all tables, several at a time. Each thread has its own dlt context.

        If a table fails, its report gets the failure and the other tables continue.
        """

        def guarded(landing: TableLanding) -> None:
            try:
                work(landing)
            except Exception as error:
                landing.report.failure = self._redact(_cause(error))
                where = f"{self._source.name}.{landing.table.name}"
                log.error("%s could not be read: %s", where, self._redact(traceback.format_exc()))

        with ThreadPoolExecutor(TABLES_AT_ONCE, thread_name_prefix=f"read-{self._source.name}") as pool:
            list(pool.map(guarded, landings))

    def _detect_deletes(self, landings: list[TableLanding], reader: Reader, raw: RawTables, path: Path) -> None:
        """Write tombstones for the keys that are live in raw but missing in the source, or report why deletes were refused."""
        wanted = [item for item in landings if item.table.name not in raw.empty and self._has_all_keys(item)]
        if not wanted:
            return
        keys = KeyFile(path)

        def collect(landing: TableLanding) -> None:
            for part in landing.keys() if self._source.reader.type == "files" else reader.keys(landing.table):
                keys.add(landing.table, part)

        self._in_parallel(wanted, collect)
        keys.close()
        collected = {item.table.name: item for item in wanted if item.report.failure is None}
        if not collected:
            return
        tables = [item.table for item in collected.values()]
        for name, found in find_deleted(self._client, self._source, tables, keys, self._run.as_of).items():
            if isinstance(found, DeletesRefused):
                collected[name].report.failure = str(found)
            else:
                collected[name].write_tombstones(found.keys)

    def _drop_unchanged(self, landings: list[TableLanding], raw: RawTables) -> None:
        """Keep only the rows that differ from raw, for tables that are read whole."""
        for landing in landings:
            events = self._source.reader.type == "files" and not landing.table.detect_deletes
            whole = landing.table.cursor is None and not events and landing.table.name not in raw.empty
            # The raw gate checks the share of rejected records, so a table with rejected records is loaded whole.
            if whole and not landing.report.rejected and 0 < landing.report.rows <= COMPARED_ROWS:
                landing.drop_unchanged(latest_versions(self._client, self._source, landing.table))

    def _has_all_keys(self, landing: TableLanding) -> bool:
        """True if deletes are detected for the table and all keys of the source are known. Rejected records hide keys."""
        if not landing.table.detect_deletes:
            return False
        if self._source.reader.type != "files":
            return True
        if landing.report.rejected:
            log.warning("%s: records were rejected, so this run detects no deletes", landing.table.name)
        return bool(landing.files) and not landing.report.rejected

    def _redact(self, text: str) -> str:
        return self._connection.redact(text)


def _table_state(pipeline: dlt.Pipeline, source: Source, table: Table) -> dict[str, Any]:
    resources = pipeline.state.get("sources", {}).get(source.name, {}).get("resources", {})
    state: dict[str, Any] = resources.get(table.name, {})
    return state


def _load(pipeline: dlt.Pipeline, source: Source, raw: RawTables, landings: list[TableLanding]) -> None:
    """Pass the spooled tables to dlt as one package. dlt loads the rows and then commits the cursors."""
    import dlt

    def rows(landing: TableLanding) -> Iterator[Any]:
        yield from landing.chunks()
        if landing.files:
            yield dlt.mark.with_table_name(landing.files_read(), FILES_TABLE)
        _save_cursor(landing, dlt.current.resource_state(landing.table.name))

    # dlt searches all imported modules for the module of a generator. `chain` hides the generator and avoids the search.
    resources = [dlt.resource(chain(rows(landing)), name=landing.table.name, write_disposition="append") for landing in landings]
    for landing in landings:
        raw.extend(landing.table, landing.schema())
    package = dlt.source(lambda: resources, name=source.name)
    pipeline.extract(package(), loader_file_format="parquet")
    pipeline.normalize()
    pipeline.load()


def _save_cursor(landing: TableLanding, state: dict[str, Any]) -> None:
    """Advance the table's cursor in the state that dlt commits together with the rows."""
    if landing.table.cursor is None:
        return
    for key, value in (("cursor", landing.cursor), ("as_of", landing.window.until)):
        if value is not None and ("cursor" in state or landing.cursor is not None):
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
