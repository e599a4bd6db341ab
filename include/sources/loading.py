"""Reads the source files, and reports all their errors in one message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from include.contract import contract
from include.settings import settings
from include.sources.derivation import MappingError, derived, is_mapped
from include.sources.landed import of_loader
from include.sources.mapping import nearest
from include.sources.schema import Source
from include.yaml_files import YamlError, read_mapping


class SourceError(ValueError):
    """A source file is invalid. The message names the file, the key and the expected value."""


def load_sources(folder: Path | None = None) -> dict[str, Source]:
    """Load every source in `folder`, by name in alphabetical order. The default folder is `PLATFORM_SOURCES_DIR`.

    Raises:
        SourceError: a file is invalid. The message names every wrong file and key.
    """
    folder = folder or settings().sources_dir
    sources: dict[str, Source] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.yml")):
        try:
            sources[path.stem] = load_source(path)
        except SourceError as error:
            problems.append(str(error))
    if problems:
        raise SourceError("\n".join(problems))
    return sources


def personal_columns() -> frozenset[str]:
    """The names of all columns that a source marks as personal data."""
    tables = (table for source in load_sources().values() for table in source.tables.values())
    return frozenset(column.name for table in tables for column in table.columns.values() if column.pii)


def load_source(path: Path) -> Source:
    """Load the source that one file describes. The contract declares the columns of tables that it knows.

    Raises:
        SourceError: the file is invalid. The message names the file and every wrong key.
    """
    try:
        data = read_mapping(path, "a mapping with owner, reader, tables, …")
    except YamlError as error:
        raise SourceError(str(error)) from None
    if isinstance(data.get("tables"), dict):
        problems: list[str] = []
        data["tables"] = {name: _as_declared(name, table, data, problems) for name, table in data["tables"].items()}
        if problems:
            raise SourceError("\n".join(f"{path.name}: tables.{problem}" for problem in problems))
    try:
        source = Source.model_validate(data)
    except ValidationError as error:
        raise SourceError("\n".join(_explain(path.name, item) for item in error.errors())) from None
    source._name = path.stem
    return source


def _as_declared(name: str, given: Any, file: dict[str, Any], problems: list[str]) -> Any:
    """A table of a source file, completed with the contract's declaration of its entity. Keys and columns of the source file take precedence.

    Problems of its mapping are added to `problems`.
    """
    defaults, reader = file.get("defaults"), file.get("reader")
    if not (given is None or isinstance(given, dict)):
        return given
    given = given or {}
    named = given.get("entity", name)
    entity = contract().get(named) if isinstance(named, str) else None
    if "mapping" in given:
        problems.append(f"{name}.mapping: unknown key. A mapping is written below `columns`")
    if entity is None:
        if "entity" in given:
            problems.append(f"{name}.entity: the contract has no entity {named!r}{nearest(str(named), contract())}")
        elif is_mapped(given):
            problems.append(
                f"{name}.entity is missing: it says of which entity the mapped columns are{nearest(name, contract())}"
            )
        return given
    landed = isinstance(reader, dict) and reader.get("type") == "landed"
    if landed or is_mapped(given):
        shared = {key: defaults[key] for key in ("cursor", "history") if key in defaults} if isinstance(defaults, dict) else {}
        found: list[tuple[str, str]] = []
        table = of_loader(reader, entity, shared | given, found)
        try:
            if found:
                raise MappingError(found)
            return derived(named, entity, table)
        except MappingError as error:
            problems += [f"{name}.{key}: {message}" for key, message in error.problems]
            return given
    declared = entity.as_table() | {"entity": named}
    completed = declared | given
    if isinstance(columns := given.get("columns"), dict):
        known = {column: _over(terms, columns.get(column)) for column, terms in declared["columns"].items()}
        completed["columns"] = {**columns, **known}
    return completed


def _over(declared: dict[str, Any], given: Any) -> Any:
    """The declaration of a column, with the keys that a source file sets."""
    return {**declared, **(given or {})} if given is None or isinstance(given, dict) else given


def _explain(file: str, item: Any) -> str:
    """Format one pydantic error as `file: key.path: message`."""
    # A discriminated union adds its tag to the path. The tag is not a key of the file.
    tags = {
        "sql",
        "rest",
        "files",
        "landed",
        "cursor",
        "next_link",
        "last_id",
        "header_link",
        "header_cursor",
        "page_number",
        "offset",
        "single",
    }
    parts: list[str] = []
    for part in item["loc"]:
        if str(part) in tags and parts and parts[-1] in {"reader", "paginator"}:
            continue
        if part == "[key]":
            continue
        parts.append(str(part))
    where = ".".join(parts)
    kind = item["type"]
    if kind == "extra_forbidden":
        message = "unknown key"
    elif kind == "missing":
        message = "is missing"
    elif kind == "value_error":
        message = str(item["ctx"]["error"])
    else:
        message = f"{item['msg']}, got {item['input']!r}" if not isinstance(item["input"], dict) else item["msg"]
    return f"{file}: {where}: {message}" if where else f"{file}: {message}"
