"""The content of one file of a folder, and the pieces that it becomes."""
# ruff: noqa: TID253 - this module is imported only when a load runs.

from __future__ import annotations

import gzip
import hashlib
import logging
import zlib
from typing import Any

import pyarrow as pa

from include.sources.readers.pieces import FileRead, Piece, Rejected
from include.sources.readers.texts import Text, Unreadable, decode

log = logging.getLogger(__name__)

_GZIP = b"\x1f\x8b"


class Content:
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

    def data(self) -> bytes:
        """The bytes, decompressed if they are compressed with gzip, whatever the file's name is.

        Raises:
            Unreadable: they cannot be decompressed, or the name ends in .gz and they are not compressed.
        """
        compressed = self.raw.startswith(_GZIP)
        if not compressed and self.path.lower().endswith(".gz") and self.raw:
            raise Unreadable("the name ends in .gz, but the file is not compressed with gzip")
        try:
            return gzip.decompress(self.raw) if compressed else self.raw
        except (OSError, EOFError, zlib.error) as error:
            raise Unreadable(f"the file cannot be decompressed: {error}") from None

    def text(self, encoding: str | None) -> Text:
        """The decoded text. A guessed encoding is logged with the line that shows whether the guess is right.

        Raises:
            Unreadable: the bytes cannot be decompressed, or are no text.
        """
        text = decode(self.data(), encoding)
        if text.guessed:
            log.warning(
                "%s: %s. If that is misspelled, set `encoding` of the reader or save the file in UTF-8", self.path, text.guess()
            )
        return text

    def read(self) -> FileRead:
        return FileRead(self.path, self.checksum, len(self.raw), self._item["modification_date"])

    @property
    def file_id(self) -> str:
        return f"{self.path}#{self.checksum}"


def whole_file(content: Content, rows: pa.Table, lines: pa.Array, rejected: list[Rejected]) -> Piece:
    """The piece of one file. `lines` has the line of each row, from 1."""
    return Piece(rows, pa.array([content.file_id] * len(rows), pa.string()), lines, rejected, [content.read()])


def unreadable(content: Content, reason: str, line: int | None = None) -> Piece:
    """Reject an unreadable file as one record. It is read again only when its content changes."""
    log.warning("%s: %s", content.path, reason)
    rejected = [Rejected(reason, line=line, file_id=content.file_id)]
    return Piece(pa.table({}), pa.array([], pa.string()), pa.array([], pa.int64()), rejected, [content.read()])
