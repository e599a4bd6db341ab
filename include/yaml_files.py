"""Reads YAML files whose root is a mapping. Duplicate keys are refused: plain YAML silently keeps the last one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlError(ValueError):
    """A file is not valid YAML, or its root is no mapping. The message names the file and the line."""


class _Loader(_Base):  # type: ignore[misc, valid-type]
    """A YAML loader that refuses duplicate keys."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is given twice", key_node.start_mark)
        seen.add(key)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_mapping(path: Path, expected: str = "a mapping") -> dict[str, Any]:
    """The mapping in a file.

    Args:
        expected: what the root should be, for the message.

    Raises:
        YamlError: the file is not valid YAML, or its root is no mapping.
    """
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        raise YamlError(f"{path.name}{where}: {getattr(error, 'problem', None) or error}") from None
    if not isinstance(data, dict):
        raise YamlError(f"{path.name}: expected {expected}")
    return data
