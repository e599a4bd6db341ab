"""Values at JSON paths in responses."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def compiled(path: str) -> Any:
    """A JSON path as dlt takes it. Compiling one takes longer than reading a page, so each is compiled once."""
    from dlt.common.jsonpath import compile_path

    return compile_path(path)


def values_at(path: str, body: Any) -> list[Any]:
    """All values at a path."""
    from dlt.common.jsonpath import find_values

    found: list[Any] = find_values(compiled(path), body)
    return found


def value_at(path: str, body: Any) -> Any:
    """The first value at a path; None if there is none."""
    return next(iter(values_at(path, body)), None)
