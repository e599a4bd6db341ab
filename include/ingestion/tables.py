# ruff: noqa: TID253 - this module is imported only when a load runs.
"""Reads one table of a source, conforms it, and spools it to Parquet files that dlt then loads.

A table is read completely before dlt gets its rows. If a read fails halfway, nothing is loaded and the table is read
again from the start. Only one chunk of the table is in memory at a time.
"""

from __future__ import annotations

import logging
import random
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.contract import ColumnType
from include.ingestion.casting import UTC_MICROSECONDS
from include.ingestion.conform import Conformer, Stamp
from include.ingestion.deduplication import Versions, changed
from include.ingestion.delete_detection import KeyDifference, key_texts, keys_of
from include.ingestion.report import TableReport
from include.sources.readers.pieces import FileRead, Reader, Window
from include.sources.schema import Table

log = logging.getLogger(__name__)

#: A chunk is written to a file when it reaches this many rows or bytes.
CHUNK_ROWS = 500_000
CHUNK_BYTES = 256 * 1024 * 1024
ATTEMPTS = 4
FIRST_WAIT_SECONDS = 1.0


@dataclass
class TableLoad:
    """The load of one table into raw.

    Attributes:
        table: the declaration.
        window: the range of cursor values to read.
        known: undeclared columns of the raw table and their types.
        seen: path → checksum of the files that earlier loads read.
        lacking: nullable column → the first cursor value from which rows were loaded without it (UTC); None: all rows.
        files: files that were read; set by `spool`.
        cursor: latest cursor value that was read (UTC); set by `spool`.
        token: the place at which the read has ended, if the system names it; set by `spool`.
    """

    table: Table
    batch_id: str
    window: Window
    known: dict[str, ColumnType]
    seen: dict[str, str]
    report: TableReport
    folder: Path
    lacking: dict[str, datetime | None] = field(default_factory=dict)
    files: list[FileRead] = field(default_factory=list)
    cursor: datetime | None = None
    token: str | None = None

    def spool(self, reader: Reader) -> None:
        """Read the whole table and fill `report`. If the connection is lost, the read is repeated with backoff.

        A table that the company lacks has no rows.
        """
        started = time.monotonic()
        self.with_retries(reader, lambda: self._spool(reader))
        self.report.complete = True
        self.report.seconds = time.monotonic() - started

    def with_retries(self, reader: Reader, work: Callable[[], None]) -> None:
        """Call `work`. If the connection is lost, it is called again after a wait."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                work()
                return
            except Exception as error:
                if attempt == ATTEMPTS or not reader.is_transient(error):
                    raise
                wait = FIRST_WAIT_SECONDS * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)
                log.warning(
                    "%s: attempt %d failed (%s), next attempt in %.1f s", self.table.name, attempt, type(error).__name__, wait
                )
                time.sleep(wait)

    def _spool(self, reader: Reader) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.report.extracted_at = datetime.now(UTC)
        conformer = self._conformer()
        self.files, self.token = [], None

        def conformed() -> Iterator[pa.Table]:
            for piece in reader.read(self.table, self.window, self.seen):
                self.files += piece.files
                self.token = piece.token or self.token
                yield conformer.conform(piece)

        self._write_chunks(conformed())
        self.report.rows = conformer.rows
        self.report.rows_read = conformer.rows_read
        self.report.rejected = conformer.rejected
        self.report.changes = conformer.changes()
        self.report.files = len(self.files)
        self.cursor = conformer.cursor
        conformer.check_required()
        if not self.table.cursor or not conformer.rows_read:
            return
        if self._starts_earlier(conformer.seen):
            self._spool(reader)
        else:
            missing = self.table.columns.keys() - conformer.seen
            self.lacking = {name: _earlier(self.window.since, self.lacking.get(name, self.window.since)) for name in missing}

    def _starts_earlier(self, seen: set[str]) -> bool:
        """True if a column is back: the window then starts where rows were first loaded without it."""
        since = self.window.since
        for name in self.lacking.keys() & seen:
            since = _earlier(since, self.lacking[name])
        if since == self.window.since:
            return False
        log.info("%s: %s is back, so rows are read again from %s", self.table.name, self.lacking.keys() & seen, since)
        self.window = Window(since, self.window.until)
        return True

    def _conformer(self) -> Conformer:
        stamp = Stamp(self.batch_id, self.report.extracted_at, self.window.until)
        return Conformer(self.table, stamp, self.known, is_whole=self.window.since is None)

    def recover(self, reader: Reader, found: KeyDifference) -> None:
        """Read the rows that raw lacks by their keys. Place rows that have returned after their tombstones."""
        if found.missing:
            spooled = set(self.folder.iterdir())
            self.with_retries(reader, lambda: self._read_keys(reader, found.missing, spooled))
        if found.returned:
            self._follow_tombstones(found.returned)

    def _read_keys(self, reader: Reader, missing: frozenset[str], spooled: set[Path]) -> None:
        for path in set(self.folder.iterdir()) - spooled:
            path.unlink()
        conformer, wanted, recovered = self._conformer(), pa.array(missing, pa.string()), 0

        def conformed() -> Iterator[pa.Table]:
            nonlocal recovered
            for piece in reader.read_keys(self.table, self.window, keys_of(self.table, missing)):
                rows = conformer.conform(piece)
                rows = rows.filter(pc.is_in(key_texts(self.table, rows), wanted))
                recovered += len(rows)
                yield rows

        self._write_chunks(conformed())
        self.report.recovered = recovered
        self.report.rows += recovered
        known = {(change.column, change.change) for change in self.report.changes}
        self.report.changes += [change for change in conformer.changes() if (change.column, change.change) not in known]

    def _follow_tombstones(self, returned: dict[str, datetime]) -> None:
        """Write the time of the tombstone into each row that has returned. It counts if the row's own time of change is not later (versions.order_time)."""
        keys = pa.array(returned, pa.string())
        times = pa.array(returned.values(), UTC_MICROSECONDS)
        for path in sorted(self.folder.iterdir()):
            rows = pq.read_table(path)
            deleted_at = times.take(pc.index_in(key_texts(self.table, rows), keys))
            restored = pc.if_else(rows["_is_deleted"].combine_chunks(), None, deleted_at)
            place = rows.column_names.index("_restored_at")
            pq.write_table(rows.set_column(place, "_restored_at", restored), path, compression="lz4")

    def _write_chunks(self, parts: Iterable[pa.Table]) -> None:
        buffer: list[pa.Table] = []
        for rows in parts:
            if len(rows):
                buffer.append(rows)
            if sum(map(len, buffer)) >= CHUNK_ROWS or sum(part.nbytes for part in buffer) >= CHUNK_BYTES:
                self._write(buffer)
                buffer = []
        self._write(buffer)

    def _write(self, parts: list[pa.Table]) -> None:
        if parts:
            rows = pa.concat_tables(parts, promote_options="default")
            pq.write_table(rows, self.folder / f"{len(list(self.folder.iterdir())):06d}.parquet", compression="lz4")

    def spooled_keys(self) -> Iterator[pa.Table]:
        """The keys of the spooled rows, one table per file."""
        for path in sorted(self.folder.iterdir()):
            yield pq.read_table(path, columns=list(self.table.primary_key))

    def drop_unchanged(self, known: Versions) -> None:
        """Remove the spooled rows that raw already holds."""
        paths = sorted(self.folder.iterdir())
        rows = changed(self.table, pa.concat_tables(map(pq.read_table, paths), promote_options="default"), known)
        for path in paths:
            path.unlink()
        if len(rows):
            self._write([rows])
        self.report.rows = len(rows) - self.report.tombstones

    def write_tombstones(self, keys: pa.Table) -> None:
        """Spool one tombstone per key."""
        conformer = self._conformer()
        self._write([conformer.tombstones(keys, self.window.until - timedelta(microseconds=1))])
        self.report.tombstones = len(keys)

    def schema(self) -> pa.Schema:
        """The columns of all spooled files."""
        return pa.unify_schemas([pa.schema([]), *(pq.read_schema(path) for path in sorted(self.folder.iterdir()))])

    def chunks(self) -> Iterator[pa.Table]:
        """The spooled rows, with the time at which they are passed to the warehouse."""
        self.report.loaded_at = datetime.now(UTC)
        for path in sorted(self.folder.iterdir()):
            rows = pq.read_table(path)
            loaded = pa.array([self.report.loaded_at] * len(rows), UTC_MICROSECONDS)
            yield rows.append_column("_loaded_at", loaded)

    def files_read(self) -> pa.Table:
        """One row per file that was read."""
        count = len(self.files)
        return pa.table(
            {
                "table_name": pa.array([self.table.name] * count, pa.string()),
                "path": pa.array([file.path for file in self.files], pa.string()),
                "checksum": pa.array([file.checksum for file in self.files], pa.string()),
                "size_bytes": pa.array([file.size for file in self.files], pa.int64()),
                "modified_at": pa.array([file.modified_at for file in self.files], UTC_MICROSECONDS),
                "_batch_id": pa.array([self.batch_id] * count, pa.string()),
                "_loaded_at": pa.array([self.report.loaded_at] * count, UTC_MICROSECONDS),
            }
        )


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier start of a window. None: no lower limit."""
    return None if one is None or other is None else min(one, other)
