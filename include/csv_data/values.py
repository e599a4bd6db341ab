"""Converts columns of CSV text to the types of the contract, as ingestion does, and says why a value is refused."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from include.contract import ColumnType

if TYPE_CHECKING:
    import pyarrow as pa

_GROUPED = re.compile(r"[+-]?\d{1,3}([,.'’ \u00a0\u202f]\d{3})+([.,]\d+)?")
_REMEDIES: dict[ColumnType, str] = {
    "integer": "is not a whole number (write 1234)",
    "decimal": "is not a number of at most 29 digits before the point (write 1234.50)",
    "float": "is not a number (write 1234.5)",
    "boolean": "is neither true nor false",
    "timestamp": "is not an ISO 8601 instant (write 2026-10-01T09:30:00Z)",
    "date": "is not a date (write 2026-10-01)",
    "time": "is not a time of day (write 09:30)",
    "json": "is not JSON",
}


def typed(texts: list[str | None], kind: ColumnType) -> tuple[pa.Array, list[tuple[int, str]]]:
    """The values in the Arrow type of the contract's type.

    Returns:
        The array, which is NULL where a value is refused, and the number of each refused row, from 0, with the reason.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from include.ingestion.casting import cast

    result = cast(pa.array(texts, pa.string()), kind)
    if result.failed is None:
        return result.values, []
    return result.values, [(row, refusal(texts[row] or "", kind)) for row in pc.indices_nonzero(result.failed).to_pylist()]


def refusal(text: str, kind: ColumnType) -> str:
    """Why a value is refused, with the form that is read. The same words follow every value of one kind of fault."""
    if kind in ("integer", "decimal", "float"):
        if _GROUPED.fullmatch(text.strip()):
            return "has thousands separators (write 1234.50)"
        if re.fullmatch(r"[+-]?\d+,\d+", text.strip()):
            return "has a decimal comma (write 1234.50)"
    return _REMEDIES[kind]


def quoted(text: str) -> str:
    """A value for messages: quoted, and shortened to 60 characters."""
    return json.dumps(text if len(text) <= 60 else text[:60] + "…", ensure_ascii=False)
