# ruff: noqa: TID253 - this module is imported only when a load runs.
"""Reads files of any fsspec file system, listed through dlt's `filesystem`: JSON lines, Parquet, CSV."""

from __future__ import annotations

import gzip
import hashlib
import io
import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq

from include.sources.readers.pieces import FileRead, Piece, ReadError, Rejected, Window, table_of

if TYPE_CHECKING:
    from include.connection import SourceConnection
    from include.sources.schema import FilesReader, Table

log = logging.getLogger(__name__)

#: Small files are joined into pieces of about this many rows.
PIECE_ROWS = 50_000
_SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".csv": "csv"}


class FolderFiles:
    """Reads the files below the folder that the connection names."""

    def __init__(self, settings: FilesReader, connection: SourceConnection) -> None:
        self._settings = settings
        self._connection = connection
        self._url = connection.url
        options = connection.extra.get("storage_options") or {}
        from fsspec.core import url_to_fs

        from include.warehouse import credentials

        if self._url.startswith(("gs://", "gcs://")) and (found := credentials()):
            options = {"token": found} | options

        self._filesystem, self._root = url_to_fs(self._url, **options)

    def check(self) -> None:
        """Raise ReadError if the folder does not exist."""
        if not self._filesystem.exists(self._root):
            raise ReadError(f"the folder {self._url} of connection {self._connection.conn_id} does not exist")

    def read(self, table: Table, window: Window, seen: dict[str, str]) -> Iterator[Piece]:
        """Yield the rows of all new and changed files.

        With `detect_deletes`, one new file causes all files of the table to be read again: rows that are missing in all
        files count as deleted.
        """
        items = self._list(table)
        if not table.detect_deletes:
            yield from self._pieces(table, items, seen)
        elif self._any_new(items, seen):
            yield from self._pieces(table, items, {})

    def _any_new(self, items: list[Any], seen: dict[str, str]) -> bool:
        return any(_Content(item, self._filesystem).checksum != seen.get(item["relative_path"]) for item in items)

    def _list(self, table: Table) -> list[Any]:
        from dlt.sources.filesystem import filesystem

        listing = filesystem(bucket_url=self._url, credentials=self._filesystem, file_glob=table.glob)
        return sorted((item for item in listing if self._format(item) is not None), key=lambda item: item["relative_path"])

    def _format(self, item: Any) -> str | None:
        """The format by the file name; None if the source does not declare this format."""
        name = item["relative_path"].lower().removesuffix(".gz")
        suffix = name[name.rfind(".") :] if "." in name else ""
        found = _SUFFIXES.get(suffix)
        return found if found in self._settings.formats else None

    def _pieces(self, table: Table, items: list[Any], seen: dict[str, str]) -> Iterator[Piece]:
        json_columns = frozenset(c.source_name or c.name for c in table.columns.values() if c.type == "json")
        lines = _Lines(json_columns)
        tables: list[Piece] = []
        for item in items:
            content = _Content(item, self._filesystem)
            if content.checksum == seen.get(content.path):
                continue
            kind = self._format(item)
            if kind == "jsonl":
                lines.add(content)
                if lines.full:
                    yield lines.take()
                continue
            piece = _read_parquet(content) if kind == "parquet" else _read_csv(content)
            if tables and (piece.rows.schema != tables[0].rows.schema or sum(len(p.rows) for p in tables) > PIECE_ROWS):
                yield _joined(tables)
                tables = []
            tables.append(piece)
        if tables:
            yield _joined(tables)
        if lines.files:
            yield lines.take()

    def keys(self, table: Table) -> Iterator[pa.Table]:
        """Not supported: the keys of files are taken from the rows that `read` yields."""
        raise TypeError("The keys of files are taken from the rows that were read.")

    def read_keys(self, table: Table, window: Window, keys: Iterable[tuple[str, ...]]) -> Iterator[Piece]:
        """Not supported, as `keys`."""
        raise TypeError("The rows of files cannot be read by key.")

    def is_transient(self, error: BaseException) -> bool:
        """True for errors of the file system, except missing files and missing permissions."""
        return isinstance(error, OSError) and not isinstance(error, FileNotFoundError | PermissionError)

    def close(self) -> None:
        """Do nothing: no file stays open."""


class _Content:
    """One file: its checksum, and its bytes, which are read on first use."""

    def __init__(self, item: Any, filesystem: Any) -> None:
        self._item = item
        self.path: str = item["relative_path"]
        self._bytes: bytes | None = None
        self.checksum = self._checksum(filesystem)

    def _checksum(self, filesystem: Any) -> str:
        """The checksum that the object store knows (Google Cloud Storage, S3), otherwise the MD5 of the bytes."""
        if "file" not in filesystem.protocol:
            known = filesystem.info(self._item["file_url"])
            for key in ("md5Hash", "ETag", "etag"):
                if known.get(key):
                    return str(known[key]).strip('"')
        return hashlib.md5(self.raw, usedforsecurity=False).hexdigest()

    @property
    def raw(self) -> bytes:
        if self._bytes is None:
            self._bytes = self._item.read_bytes()
        return self._bytes

    def text(self) -> bytes:
        """The bytes, decompressed if the file's name ends in .gz."""
        return gzip.decompress(self.raw) if self.path.endswith(".gz") else self.raw

    def read(self) -> FileRead:
        return FileRead(self.path, self.checksum, len(self.raw), self._item["modification_date"])

    @property
    def file_id(self) -> str:
        return f"{self.path}#{self.checksum}"


class _Lines:
    """Collects the records of JSON lines files. Several small files become one piece."""

    def __init__(self, json_columns: frozenset[str]) -> None:
        self._json_columns = json_columns
        self._clear()

    def _clear(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.lines: list[int] = []
        self.file_ids: list[str] = []
        self.rejected: list[Rejected] = []
        self.files: list[FileRead] = []

    @property
    def full(self) -> bool:
        return len(self.records) >= PIECE_ROWS

    def add(self, content: _Content) -> None:
        file_id = content.file_id
        try:
            text = content.text()
        except (OSError, EOFError) as error:
            self.rejected.append(Rejected(f"the file cannot be decompressed: {error}", file_id=file_id))
            text = b""
        before = len(self.records)
        for number, line in enumerate(text.split(b"\n"), start=1):
            if not line.strip():
                continue
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                self._reject(f"not JSON: {error.msg}", line, number, file_id)
                continue
            if not isinstance(record, dict):
                self._reject("not a JSON object", line, number, file_id)
                continue
            self.records.append(record)
            self.lines.append(number)
        self.file_ids += [file_id] * (len(self.records) - before)
        self.files.append(content.read())

    def _reject(self, reason: str, line: bytes, number: int, file_id: str) -> None:
        self.rejected.append(Rejected(reason, line.decode("utf-8", "replace"), number, file_id))

    def take(self) -> Piece:
        piece = Piece(
            rows=table_of(self.records, self._json_columns),
            file_ids=pa.array(self.file_ids, pa.string()),
            lines=pa.array(self.lines, pa.int64()),
            rejected=self.rejected,
            files=self.files,
        )
        self._clear()
        return piece


def _joined(pieces: list[Piece]) -> Piece:
    """Join pieces of the same schema, so that many small files cost as much as one large file."""
    if len(pieces) == 1:
        return pieces[0]
    return Piece(
        rows=pa.concat_tables(piece.rows for piece in pieces),
        file_ids=pa.concat_arrays([piece.file_ids for piece in pieces]),
        lines=pa.concat_arrays([piece.lines for piece in pieces]),
        rejected=[rejected for piece in pieces for rejected in piece.rejected],
        files=[file for piece in pieces for file in piece.files],
    )


def _read_parquet(content: _Content) -> Piece:
    try:
        rows = pq.ParquetFile(io.BytesIO(content.raw)).read().replace_schema_metadata(None)
    except (pa.ArrowInvalid, OSError) as error:
        return _unreadable(content, f"not a Parquet file: {error}")
    return _whole_file(content, rows, pa.nulls(len(rows), pa.int64()), [])


def _read_csv(content: _Content) -> Piece:
    """Read a CSV file with a header row. All columns are text; empty values are NULL. Rows of the wrong width are rejected."""
    rejected: list[Rejected] = []

    def reject(row: pv.InvalidRow) -> str:
        reason = f"{row.actual_columns} columns instead of {row.expected_columns}"
        rejected.append(Rejected(reason, row.text, row.number, content.file_id))
        return "skip"

    parsing = pv.ParseOptions(newlines_in_values=True, invalid_row_handler=reject)
    try:
        text = content.text()
        if not text.strip():
            return _unreadable(content, "the file is empty: not even a header row")
        header = pv.open_csv(io.BytesIO(text), parse_options=parsing).schema.names
        rejected.clear()
        rows = pv.read_csv(
            io.BytesIO(text),
            # Arrow knows the number of an invalid row only if it uses one thread.
            read_options=pv.ReadOptions(use_threads=False),
            parse_options=parsing,
            convert_options=pv.ConvertOptions(
                column_types={name: pa.binary() for name in header},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except (pa.ArrowInvalid, OSError, EOFError) as error:
        return _unreadable(content, f"not a CSV file: {error}")
    return _whole_file(content, rows, pa.array(range(2, len(rows) + 2), pa.int64()), rejected)


def _whole_file(content: _Content, rows: pa.Table, lines: pa.Array, rejected: list[Rejected]) -> Piece:
    return Piece(rows, pa.array([content.file_id] * len(rows), pa.string()), lines, rejected, [content.read()])


def _unreadable(content: _Content, reason: str) -> Piece:
    """Reject an unreadable file as one record. It is read again only when its content changes."""
    log.warning("%s: %s", content.path, reason)
    rejected = [Rejected(reason, file_id=content.file_id)]
    return Piece(pa.table({}), pa.array([], pa.string()), pa.array([], pa.int64()), rejected, [content.read()])
