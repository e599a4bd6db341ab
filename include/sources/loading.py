"""Reads the source files, and says in one message what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from include.settings import settings
from include.sources.schema import Source

_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class SourceError(ValueError):
    """A source file is wrong; the message names the file, the key and what is expected there."""


class _Loader(_Base):  # type: ignore[misc, valid-type]
    """YAML that refuses a key given twice, which YAML itself would silently let win."""


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
    """Every source in `folder`, by name, in alphabetical order; by default those of `PLATFORM_SOURCES_DIR`.

    Raises:
        SourceError: naming every file and key that is wrong.
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


def load_source(path: Path) -> Source:
    """The source that one file describes.

    Raises:
        SourceError: naming the file and every key that is wrong.
    """
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        raise SourceError(f"{path.name}{where}: {getattr(error, 'problem', None) or error}") from None
    if not isinstance(data, dict):
        raise SourceError(f"{path.name}: expected a mapping with owner, reader, tables, …")
    try:
        source = Source.model_validate(data)
    except ValidationError as error:
        raise SourceError("\n".join(_explain(path.name, item) for item in error.errors())) from None
    source._name = path.stem
    return source


def _explain(file: str, item: Any) -> str:
    """One pydantic error as `file: key.path: what is wrong`."""
    # A discriminated union puts its tag into the path, which is no key of the file.
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
