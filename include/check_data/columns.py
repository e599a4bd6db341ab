"""Checks of the values of one table."""

from __future__ import annotations

from collections.abc import Iterator

from include.check_data.findings import Finding
from include.check_data.words import known_words
from include.contract import TENANT, Entity
from include.csv_data import Rows
from include.csv_data.headers import nearest
from include.csv_data.reading import repeated_keys
from include.csv_data.values import quoted

#: The greatest number of unknown words that are listed for one column.
MOST_WORDS = 10


def empty_columns(rows: Rows, entity: Entity) -> Iterator[Finding]:
    """Columns of the file without any value. Empty required columns are refused already when the file is read."""
    count = rows.data.num_rows
    for name, declared in entity.columns.items():
        if count and name in rows.present and not declared.required and rows.data[name].null_count == count:
            message = "no row has a value: figures that need it are unknown"
            remedy = "export the column, if the system has it"
            yield Finding(rows.entity, name, "warn", "empty", count, rows.lines[0], message, remedy, rows.file_of(0))


def unknown_columns(rows: Rows, entity: Entity, filler: str = "file", place: str = "mapping.yml") -> Iterator[Finding]:
    """The columns of the contract that nothing fills: one finding per table.

    Args:
        filler: what could fill them.
        place: where they can be mapped.
    """
    missing = [name for name in entity.columns if name not in rows.present and name != TENANT]
    if rows.data.num_rows and missing:
        message = f"no {filler} fills {', '.join(missing)}: figures that need it are unknown"
        remedy = f"map a column in {place}, if the system has it"
        yield Finding(rows.entity, None, "warn", "unknown_column", len(missing), None, message, remedy, rows.file)


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
            near = nearest(word, words.known)
            shown = quoted(str(rows.data[column][places[0]].as_py()))
            hint = f"write {near}" if near else f"write one of {', '.join(sorted(words.known)[:8])}"
            message, remedy = f"{shown} is no known word", f"{hint}, or add the word to {words.declared_in}"
            line, file = rows.lines[places[0]], rows.file_of(places[0])
            yield Finding(rows.entity, column, "warn", "unknown_word", len(places), line, message, remedy, file)
        if rest := ranked[MOST_WORDS:]:
            count, first = sum(len(places) for _, places in rest), rest[0][1][0]
            message, remedy = f"{len(rest)} more unknown words", f"see the known words in {words.declared_in}"
            line, file = rows.lines[first], rows.file_of(first)
            yield Finding(rows.entity, column, "warn", "unknown_word", count, line, message, remedy, file)
