"""Checks of the values of one table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from include.check_data.findings import Finding
from include.check_data.words import Words, known_words
from include.contract import TENANT, Entity
from include.csv_data import Rows
from include.csv_data.headers import nearest
from include.csv_data.reading import repeated_keys
from include.csv_data.values import quoted

#: The greatest number of unknown words that are listed for one column, and of known words that a remedy names.
MOST_WORDS = 10
_MOST_KNOWN = 8


def empty_columns(rows: Rows, entity: Entity) -> Iterator[Finding]:
    """Columns of the file without any value. Empty required columns are refused already when the file is read."""
    count = rows.data.num_rows
    for name, declared in entity.columns.items():
        if count and name in rows.present and not declared.required and rows.data[name].null_count == count:
            message = f"no row has a value{without([name], entity)}"
            remedy = "export the column, if the system has it"
            yield Finding(rows.entity, name, "warn", "empty", count, rows.lines[0], message, remedy, rows.file_of(0))


def unknown_columns(
    rows: Rows, entity: Entity, filler: str = "file", place: str = "mapping.yml", named: Collection[str] = ()
) -> Iterator[Finding]:
    """The columns of the contract that nothing fills: one finding per table.

    Args:
        filler: what could fill them.
        place: where they can be mapped.
        named: columns that another finding names.
    """
    missing = [name for name in entity.columns if name not in {*rows.present, *named, TENANT}]
    if rows.data.num_rows and missing:
        message = f"no {filler} fills {', '.join(missing)}{without(missing, entity)}"
        remedy = f"map a column in {place}, if the system has it"
        yield Finding(rows.entity, None, "warn", "unknown_column", len(missing), None, message, remedy, rows.file)


def without(missing: Iterable[str], entity: Entity) -> str:
    """The end of a message that names the figures which are unknown without some columns."""
    figures = dict.fromkeys(entity.unknown_without[name] for name in missing if name in entity.unknown_without)
    return f"; so these are unknown: {', '.join(figures)}" if figures else ""


def repeated_events(rows: Rows, entity: Entity) -> Iterator[Finding]:
    """Events that were delivered twice. In other tables a repeated key is refused when the file is read."""
    if not entity.by_delivery or not rows.present.issuperset(entity.key):
        return
    repeated = repeated_keys(rows, entity.key)
    if repeated:
        number, first = repeated[0]
        message = f"the key of line {rows.lines[first]} again: one of the rows counts"
        remedy = "none is needed if the rows are equal"
        line, file = rows.lines[number], rows.file_of(number)
        yield Finding(rows.entity, entity.key[-1], "warn", "repeated", len(repeated), line, message, remedy, file)


def unknown_words(rows: Rows, entity: Entity) -> Iterator[Finding]:
    """Words of category columns that the platform does not know, the most frequent first."""
    for column in entity.columns:
        words = known_words().get((rows.entity, column))
        if words is None or column not in rows.present:
            continue
        found: dict[str, list[int]] = {}
        for row, text in enumerate(rows.data[column].to_pylist()):
            word = words.compared(text or "")
            if word and word not in words.known:
                found.setdefault(word, []).append(row)
        ranked = sorted(found.items(), key=lambda each: -len(each[1]))
        for word, places in ranked[:MOST_WORDS]:
            given, near = _given(rows, column, places), nearest(word, words.known)
            message, remedy = f"{quoted(given)} is no known word", f"{_hint(near, words)}, or add the word to {words.declared_in}"
            yield _of_words(rows, column, places, message, remedy, ((given.strip(), near),))
        if rest := ranked[MOST_WORDS:]:
            found_rest = tuple((_given(rows, column, places).strip(), nearest(word, words.known)) for word, places in rest)
            places = [place for _, each in rest for place in each]
            message, remedy = f"{len(rest)} more unknown words", f"see the known words in {words.declared_in}"
            yield _of_words(rows, column, places, message, remedy, found_rest)


def _given(rows: Rows, column: str, places: list[int]) -> str:
    return str(rows.data[column][places[0]].as_py())


def _hint(near: str | None, words: Words) -> str:
    if near:
        return f"write {near}"
    known = sorted(words.known)
    return f"write one of {', '.join(known[:_MOST_KNOWN])}{', …' if len(known) > _MOST_KNOWN else ''}"


def _of_words(
    rows: Rows, column: str, places: list[int], message: str, remedy: str, words: tuple[tuple[str, str | None], ...]
) -> Finding:
    line, file = rows.lines[places[0]], rows.file_of(places[0])
    return Finding(rows.entity, column, "warn", "unknown_word", len(places), line, message, remedy, file, words)
