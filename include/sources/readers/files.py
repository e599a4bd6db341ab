# ruff: noqa: TID253 - this module is imported only when a load runs.
"""Reads files of any fsspec file system, listed through dlt's `filesystem`: JSON lines, Parquet, CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from include.sources.readers.content import Content
from include.sources.readers.json_lines import JsonLines
from include.sources.readers.pieces import Piece, ReadError, Window
from include.sources.readers.tabular import read_csv, read_parquet

if TYPE_CHECKING:
    from include.connection import SourceConnection
    from include.sources.reader_settings import FilesReader
    from include.sources.schema import Table

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
        return any(Content(item, self._filesystem).checksum != seen.get(item["relative_path"]) for item in items)

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
        encoding = self._settings.encoding
        lines = JsonLines(json_columns, encoding)
        tables: list[Piece] = []
        for item in items:
            content = Content(item, self._filesystem)
            if content.checksum == seen.get(content.path):
                continue
            kind = self._format(item)
            if kind == "jsonl":
                lines.add(content)
                if len(lines.records) >= PIECE_ROWS:
                    yield lines.take()
                continue
            piece = read_parquet(content) if kind == "parquet" else read_csv(content, encoding)
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
