"""The three generic readers: SQL, REST, files. Each reads through dlt and hands on pieces of rows.

`open_reader` is the door; it imports the one reader that the source asks for, and dlt with it, only when called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from include.sources.connection import SourceConnection
    from include.sources.readers.pieces import Reader
    from include.sources.schema import Source


def open_reader(source: Source, connection: SourceConnection) -> Reader:
    """The reader that the source's YAML asks for, not yet connected to anything."""
    if source.reader.type == "sql":
        from include.sources.readers.sql import SqlTables

        return SqlTables(source.reader, connection)
    if source.reader.type == "rest":
        from include.sources.readers.rest import RestResources

        return RestResources(source.reader, connection)
    from include.sources.readers.files import FolderFiles

    return FolderFiles(source.reader, connection)
