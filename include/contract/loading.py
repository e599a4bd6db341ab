"""Reads the contract's files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from include.contract.schema import Entity
from include.yaml_files import YamlError, read_mapping

_Domain = TypeAdapter(dict[str, Entity])


class ContractError(ValueError):
    """A file of the contract is invalid. The message names the file, the entity and the key."""


@cache
def contract() -> Mapping[str, Entity]:
    """The entities by name, in the order of the files.

    Raises:
        ContractError: a file is invalid, two files declare the same entity, or an id belongs to no entity.
    """
    entities: dict[str, Entity] = {}
    for path in sorted(Path(__file__).parent.glob("*.yml")):
        try:
            found = _Domain.validate_python(read_mapping(path))
        except YamlError as error:
            raise ContractError(str(error)) from None
        except ValidationError as error:
            first = error.errors()[0]
            raise ContractError(f"{path.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        if twice := found.keys() & entities.keys():
            raise ContractError(f"{path.name}: {', '.join(sorted(twice))} is declared in another file too")
        entities |= found
    _check_ids(entities)
    return entities


def _check_ids(entities: Mapping[str, Entity]) -> None:
    for name, entity in entities.items():
        for column, declared in entity.columns.items():
            if declared.id_of is not None and declared.id_of not in entities:
                raise ContractError(f"{name}.{column}: id_of names {declared.id_of}, which is no entity")
