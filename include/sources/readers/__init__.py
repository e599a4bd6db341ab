"""The three generic readers: SQL, REST and files. Each reads through dlt and yields pieces of rows.

Use `open_reader` to get one. It imports only the reader that the source declares, and only when it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from include.connection import SourceConnection
    from include.sources.readers.pieces import Reader
    from include.sources.schema import Source


def open_reader(source: Source, connection: SourceConnection) -> Reader:
    """Create the reader that the source declares. It does not connect yet."""
    if source.reader.type == "sql":
        from include.sources.readers.sql import SqlTables

        return SqlTables(source.reader, connection)
    if source.reader.type == "rest":
        from include.sources.readers.rest import RestResources

        return RestResources(source.reader, connection, source.declared)
    if source.reader.type == "landed":
        raise ValueError(f"{source.name} is landed by {source.reader.loader}: there is nothing to load")
    from include.sources.readers.files import FolderFiles

    return FolderFiles(source.reader, connection)
