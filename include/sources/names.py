"""Names of source columns in the warehouse."""

from __future__ import annotations

import hashlib
import re


def warehouse_name(name: str) -> str:
    """Convert a source's column name to a warehouse name: lower case, words joined by single underscores."""
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()
    name = re.sub(r"[^a-z0-9]+", "_", name).strip("_") or "column"
    return f"c_{name}" if name[0].isdigit() else name


def mapped_name(name: str) -> str:
    """The warehouse name of a mapped column. Names whose letters a warehouse name cannot have get a checksum, so that each stays its own."""
    return warehouse_name(name) + (
        "" if name.isascii() else f"_{hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()[:6]}"
    )
