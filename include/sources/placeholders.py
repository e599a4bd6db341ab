"""Places in the requests of a REST API that a load fills in: `{since}`, `{until}`, `{columns}`, `{parent.id}` and `{row.id}`.

A time is written as ISO 8601 in UTC. After a colon stands another form: `{since:epoch_seconds}` or `{since:%Y-%m-%d}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from include.sources.mapping import EPOCHS
from include.sources.paths import Pick, parts_of, picking_parts_of

ISO = "%Y-%m-%dT%H:%M:%S.%fZ"
_PLACE = re.compile(r"\{(since|until|columns|(?:parent|row)\.[^{}:]+)(?::([^{}]+))?\}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NoValue(LookupError):
    """A place has no value, such as `{since}` in a read without a lower limit."""


def names(value: Any) -> set[str]:
    """The names of all places within a text, a list or a mapping: since, until, columns, parent, row.

    Raises:
        ValueError: a place has a form or a path that does not exist.
    """
    found = set()
    for text in _texts(value):
        for name, form in _PLACE.findall(text):
            head, _, path = name.partition(".")
            if path:
                parts_of(path)
            if form and (head not in ("since", "until") or ("%" not in form and form not in EPOCHS)):
                raise ValueError(
                    f"{{{name}:{form}}}: after the colon of since and until stands one of {', '.join(EPOCHS)}, or a form with %"
                )
            found.add(head)
    return found


def unit_of(value: Any) -> timedelta:
    """The smallest step between two times as the places `{since}` of a value can tell them apart."""
    steps = [_step(form or ISO) for text in _texts(value) for name, form in _PLACE.findall(text) if name in ("since", "until")]
    return max(steps, default=timedelta(microseconds=1))


def filled(value: Any, values: Mapping[str, Any], written: Callable[[str], str] = str) -> Any:
    """The value with its places filled. A text that is `{columns}` alone becomes a list.

    With several parents or rows, an item of a list that has a place such as `{parent.id}` is repeated for each of them.

    Args:
        value: a text, number, list or mapping.
        values: since and until (in UTC, or None), columns (a list of names), parent (a row), parents (rows), rows (rows).
        written: how a filled text is written, such as quoted for a path of a URL.

    Raises:
        NoValue: a place has no value.
    """
    if isinstance(value, Mapping):
        return {key: filled(each, values, written) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [filled(each, given, written) for each in value for given in _repeated(each, values)]
    if value == "{columns}":
        return list(values["columns"])
    if not isinstance(value, str):
        return value
    return _PLACE.sub(lambda found: written(_text(found[1], found[2], values)), value)


def within(row: Any, path: str) -> Any:
    """The value at a path within a row; None if there is none."""
    for part in picking_parts_of(path):
        if isinstance(part, Pick):
            row = part.of(row)
        elif isinstance(part, int):
            row = row[part] if isinstance(row, list) and part < len(row) else None
        else:
            row = row.get(part) if isinstance(row, dict) else None
    return row


def put(target: Any, path: str, value: Any) -> None:
    """Write a value at a path within a mapping. Keys that are missing are added.

    Raises:
        LookupError: the path names a place of a list that is not there.
    """
    *parts, last = parts_of(path)
    for part in parts:
        target = target.setdefault(part, {}) if isinstance(target, dict) else target[part]
    target[last] = value


def _repeated(item: Any, values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The values for each repetition of an item of a list. Places within a list of the item do not repeat the item itself."""
    outer = {key: each for key, each in item.items() if not isinstance(each, list)} if isinstance(item, Mapping) else item
    for name, many in (("parent", "parents"), ("row", "rows")):
        if many in values and not isinstance(item, list) and name in names(outer):
            yield from ({**values, name: each} for each in values[many])
            return
    yield values


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def _text(name: str, form: str, values: Mapping[str, Any]) -> str:
    head, _, path = name.partition(".")
    value = within(values.get(head), path) if path else values.get(head)
    if value is None:
        raise NoValue(f"{{{name}}} has no value")
    if head == "columns":
        return ",".join(value)
    return _time(value, form or ISO, up=head == "until") if isinstance(value, datetime) else str(value)


def _step(form: str) -> timedelta:
    if form in EPOCHS:
        return timedelta(microseconds=1_000_000 // EPOCHS[form])
    return timedelta(microseconds=1) if "%f" in form else timedelta(seconds=1)


def _time(instant: datetime, form: str, *, up: bool) -> str:
    """The instant in a form. What the form cannot tell is cut off, or rounded up for an upper limit."""
    step = _step(form)
    whole = instant - (instant - _EPOCH) % step
    if up and whole < instant:
        whole += step
    return str((whole - _EPOCH) // step) if form in EPOCHS else whole.strftime(form)
