"""Lands one source in raw: sweep, read, conform, load, and note it in the books."""

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

from include.ingestion import books
from include.ingestion.dlt_pipeline import configure, open_pipeline
from include.ingestion.raw import FILES_TABLE, RawTables
from include.ingestion.report import LandingError, LandingReport, TableReport
from include.ingestion.sweep import KeyFile, SweepRefused, sweep
from include.ingestion.tables import TableLanding
from include.ingestion.unchanged import COMPARED_ROWS, latest_versions
from include.sources.readers import open_reader
from include.sources.readers.pieces import ReadError, Window

if TYPE_CHECKING:
    import dlt
    from google.cloud.bigquery import Client

    from include.runs import RunContext
    from include.sources.connection import SourceConnection
    from include.sources.readers.pieces import Reader
    from include.sources.schema import Source, Table

log = logging.getLogger(__name__)

TABLES_AT_ONCE = 4


def land(source: Source, connection: SourceConnection, run: RunContext) -> LandingReport:
    """Load what is new in a source into its raw tables.

    Reads every table from its last cursor value, less the overlap, up to `run.as_of`; everything if the run is a full
    refresh, or looks back by a day or more. May be killed and run again at any point: the cursor moves in
    the warehouse together with the rows it stands for.

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
        books.write_loads(self._report, self._run, self._client)
        self._report.seconds = time.monotonic() - started
        log.info("Landed %s: %s", self._batch_id, self._report.summary())
        failures = [f"{name}: {table.failure}" for name, table in self._report.tables.items() if table.failure]
        if failures:
            landed = len(self._report.tables) - len(failures)
            raise LandingError(
                f"{len(failures)} of {len(self._report.tables)} tables of {self._source.name} failed "
                f"({landed} landed):\n" + "\n".join(failures)
            )
        return self._report

    def _load(self, reader: Reader) -> None:
        raw = RawTables(self._source, self._client)
        raw.ensure()
        for name, conflict in raw.conflicts.items():
            self._report.tables[name].failure = conflict
        pipeline = open_pipeline(self._source, forget=raw.empty)
        try:
            seen = raw.files_seen()
            landings = [
                self._table_landing(table, raw, pipeline, seen.get(table.name, {}))
                for table in self._source.tables.values()
                if table.name not in raw.conflicts
            ]

            self._at_once(landings, lambda landing: landing.spool(reader))
            landings = [landing for landing in landings if landing.report.complete]
            self._sweep(landings, reader, raw, Path(pipeline.working_dir) / "keys.parquet")
            if not self._run.full_refresh:
                self._leave_out_unchanged(landings, raw)
            books.write_findings(self._report, self._client)
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
        """Where to begin reading a table, or None for its beginning."""
        state = _table_state(pipeline, self._source, table)
        if table.cursor is None or "cursor" not in state or self._run.full_refresh or table.name in raw.empty:
            return None
        last = datetime.fromisoformat(state["as_of"])
        if self._run.as_of < last:
            # Looking further back than before: versions that were overwritten since may be visible again. A night that refreshes
            # have gone past since its midnight missed none that a landing before that saw.
            earlier = self._landed_before.get(table.name) if last - self._run.as_of < timedelta(days=1) else None
            return None if earlier is None else earlier - table.overlap
        return datetime.fromisoformat(state["cursor"]) - table.overlap

    @cached_property
    def _landed_before(self) -> dict[str, datetime]:
        return books.landed_before(self._source.name, self._batch_id, self._client)

    def _at_once(self, landings: list[TableLanding], work: Callable[[TableLanding], None]) -> None:
        """Do something for all tables, several at a time. dlt's contexts belong to a thread, so each has one of its own.

        A table that fails is noted as failed; the others go on.
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

    def _sweep(self, landings: list[TableLanding], reader: Reader, raw: RawTables, path: Path) -> None:
        """Add tombstones for the keys that are live in raw and gone from the source, or note why that was refused."""
        wanted = [item for item in landings if item.table.name not in raw.empty and self._sweepable(item)]
        if not wanted:
            return
        keys = KeyFile(path)

        def collect(landing: TableLanding) -> None:
            for part in landing.keys() if self._source.reader.type == "files" else reader.keys(landing.table):
                keys.add(landing.table, part)

        self._at_once(wanted, collect)
        keys.close()
        collected = {item.table.name: item for item in wanted if item.report.failure is None}
        if not collected:
            return
        tables = [item.table for item in collected.values()]
        for name, found in sweep(self._client, self._source, tables, keys, self._run.as_of).items():
            if isinstance(found, SweepRefused):
                collected[name].report.failure = str(found)
            else:
                collected[name].bury(found.keys)

    def _leave_out_unchanged(self, landings: list[TableLanding], raw: RawTables) -> None:
        """Of tables that are read whole, land only what differs from raw."""
        for landing in landings:
            events = self._source.reader.type == "files" and not landing.table.detect_deletes
            whole = landing.table.cursor is None and not events and landing.table.name not in raw.empty
            # Rejected records are judged by their share of the whole, so then the whole is landed.
            if whole and not landing.report.rejected and 0 < landing.report.rows <= COMPARED_ROWS:
                landing.leave_out(latest_versions(self._client, self._source, landing.table))

    def _sweepable(self, landing: TableLanding) -> bool:
        """Whether what the source holds now is known to be whole: a file that could not be read in part is not."""
        if not landing.table.detect_deletes:
            return False
        if self._source.reader.type != "files":
            return True
        if landing.report.rejected:
            log.warning("%s: records were rejected, so deletes cannot be told tonight", landing.table.name)
        return bool(landing.files) and not landing.report.rejected

    def _redact(self, text: str) -> str:
        return self._connection.redact(text)


def _table_state(pipeline: dlt.Pipeline, source: Source, table: Table) -> dict[str, Any]:
    resources = pipeline.state.get("sources", {}).get(source.name, {}).get("resources", {})
    state: dict[str, Any] = resources.get(table.name, {})
    return state


def _load(pipeline: dlt.Pipeline, source: Source, raw: RawTables, landings: list[TableLanding]) -> None:
    """Hand the spooled tables to dlt, which loads them and then commits the cursors, as one package."""
    import dlt

    def rows(landing: TableLanding) -> Iterator[Any]:
        for chunk in landing.chunks():
            yield raw.arranged(landing.table, chunk)
        if landing.files:
            yield dlt.mark.with_table_name(landing.ledger(), FILES_TABLE)
        _remember(landing, dlt.current.resource_state(landing.table.name))

    # A chain of one: of a generator itself, dlt looks for the module by the paths of all that are imported.
    resources = [dlt.resource(chain(rows(landing)), name=landing.table.name, write_disposition="append") for landing in landings]
    for landing in landings:
        raw.extend(landing.table, landing.schema())
    package = dlt.source(lambda: resources, name=source.name)
    pipeline.extract(package(), loader_file_format="parquet")
    pipeline.normalize()
    pipeline.load()


def _remember(landing: TableLanding, state: dict[str, Any]) -> None:
    """Move the table's cursor forward, in the state that dlt commits together with the rows."""
    if landing.table.cursor is None:
        return
    for key, value in (("cursor", landing.cursor), ("as_of", landing.window.until)):
        if value is not None and ("cursor" in state or landing.cursor is not None):
            held = datetime.fromisoformat(state[key]) if key in state else value
            state[key] = max(held, value).isoformat()


def _cause(error: BaseException) -> str:
    """What went wrong in one line: what a reader says, otherwise the innermost cause, because dlt wraps it."""
    while error.__cause__ is not None and not isinstance(error, ReadError):
        error = error.__cause__
    text = str(error).strip().partition("\n")[0]
    if isinstance(error, ReadError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
