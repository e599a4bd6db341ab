"""Reads the source files, and reports all their errors in one message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from include.settings import settings
from include.sources.schema import Source

#: The tables that a company need not have: one file per source, table → declaration.
OPTIONAL = Path(__file__).parent / "optional"

_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class SourceError(ValueError):
    """A source file is invalid. The message names the file, the key and the expected value."""


class _Loader(_Base):  # type: ignore[misc, valid-type]
    """A YAML loader that refuses duplicate keys. Plain YAML silently keeps the last one."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is given twice", key_node.start_mark)
        seen.add(key)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


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
    """Load the source that one file describes. An optional table that it does not name is absent.

    Raises:
        SourceError: the file is invalid. The message names the file and every wrong key.
    """
    data = _read(path)
    optional = _read(OPTIONAL / path.name) if (OPTIONAL / path.name).exists() else {}
    if optional and isinstance(data.get("tables"), dict):
        data["tables"] = _with_optional(data["tables"], optional)
    try:
        source = Source.model_validate(data)
    except ValidationError as error:
        raise SourceError("\n".join(_explain(path.name, item) for item in error.errors())) from None
    source._name = path.stem
    return source


def _read(path: Path) -> dict[str, Any]:
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        raise SourceError(f"{path.name}{where}: {getattr(error, 'problem', None) or error}") from None
    if not isinstance(data, dict):
        raise SourceError(f"{path.name}: expected a mapping with owner, reader, tables, …")
    return data


def _with_optional(tables: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    """The tables of a source file, completed with the declarations of optional tables. Keys and columns of the source file take precedence."""
    completed = {}
    for name, declared in optional.items():
        given = tables.get(name, {"absent": True})
        completed[name] = _over(declared, given)
        if isinstance(given, dict) and isinstance(columns := given.get("columns"), dict):
            known = {column: _over(terms, columns.get(column)) for column, terms in declared["columns"].items()}
            completed[name]["columns"] = {**columns, **known}
    return {**tables, **completed}


def _over(declared: dict[str, Any], given: Any) -> Any:
    """A declaration, with the keys that a source file sets."""
    return {**declared, **(given or {})} if given is None or isinstance(given, dict) else given


def _explain(file: str, item: Any) -> str:
    """Format one pydantic error as `file: key.path: message`."""
    # A discriminated union adds its tag to the path. The tag is not a key of the file.
    tags = {"sql", "rest", "files", "cursor", "next_link"}
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
