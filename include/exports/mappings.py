"""The mappings of exports: the ready ones in `ready/`, and `mapping.yml` of a folder, which changes them and adds others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from include.contract import contract
from include.exports.errors import ExportError
from include.sources.mapping import nearest
from include.yaml_files import YamlError, read_mapping

MAPPING_FILE = "mapping.yml"
READY = Path(__file__).parent / "ready"
_NAME = r"^[a-z][a-z0-9_]*$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Organization(_Strict):
    """The tenant that the rows of all exports belong to.

    Attributes:
        id: its id, in the column `organization_id` of every table.
        timezone: where it works, as an IANA name.
        currency: ISO 4217 code in which it reports. Amounts without a currency are in it, if their system has one currency only.
    """

    id: str = Field("main", min_length=1)
    name: str | None = None
    timezone: str
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            return ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{name!r} is no IANA time zone: write Europe/Berlin, America/New_York …") from None


class ExportTable(_Strict):
    """One kind of file, and how its rows become those of an entity.

    Attributes:
        entity: the entity of the contract.
        file: the file's name without its ending, as the vendor writes it. A date or number after it does not count.
        recognized_by: columns that only this kind of file has together.
        columns: contract column → where it comes from, as in a source's file. A list names alternatives: the first whose columns the
            file has. In `mapping.yml`, `values` alone adds words to a ready mapping. `$organization`, `$currency` and `$timezone` stand for those of the organization.
        where: as in a source's file.
        deleted_when: as in a source's file. It has no effect if the file lacks the column.
        empty_keys: as in a source's file.
        detect_deletes: as in a source's file.
    """

    entity: str
    file: str = Field(min_length=1)
    recognized_by: tuple[str, ...] = ()
    columns: dict[str, Any]
    where: dict[str, Any] | None = None
    deleted_when: Any = None
    empty_keys: str | None = None
    detect_deletes: bool = True


class NotRead(_Strict):
    """A kind of file that a system writes, and that no table reads: the columns by which it is known, and what to export instead."""

    recognized_by: tuple[str, ...] = Field(min_length=1)
    remedy: str = Field(min_length=1)


class Export(_Strict):
    """The exports of one system.

    Attributes:
        title: the system's name.
        pages: the vendor's pages that describe the files.
        cannot_know: what the files do not say, one sentence each.
        assumes: what the mapping takes for granted, one sentence each.
        id_prefix: stands before every id of the rows, as in a source's file.
        encoding: of the CSV and JSON files, as in a source's reader. Without it, it is guessed.
        tables: the kinds of files, by name.
        not_read: other kinds of files that the system writes.
    """

    title: str
    pages: tuple[str, ...] = ()
    cannot_know: tuple[str, ...] = ()
    assumes: tuple[str, ...] = ()
    id_prefix: str | None = None
    encoding: str | None = None
    tables: dict[Annotated[str, Field(pattern=_NAME)], ExportTable]
    not_read: tuple[NotRead, ...] = ()


class _Mapping(_Strict):
    organization: Organization | None = None
    sources: dict[Annotated[str, Field(pattern=_NAME)], Export] = Field(default_factory=dict)


def ready() -> dict[str, dict[str, Any]]:
    """The content of each ready mapping, by the name of its source."""
    return {path.stem: read_mapping(path) for path in sorted(READY.glob("*.yml"))}


def read_mappings(folder: Path) -> tuple[Organization | None, dict[str, Export]]:
    """The organization of a folder's `mapping.yml`, None without it, and all mappings that count for the folder.

    Raises:
        ExportError: `mapping.yml` is invalid. The message names every wrong key.
    """
    path = folder / MAPPING_FILE
    try:
        given = read_mapping(path, "a mapping with organization and sources") if path.exists() else {}
    except (YamlError, UnicodeDecodeError) as error:
        raise ExportError(str(error)) from None
    sources = given.get("sources") or {}
    if not isinstance(sources, dict):
        raise ExportError(f"{MAPPING_FILE}: sources: expected a mapping of a system's name to its tables")
    merged = {**given, "sources": _merged(ready(), _titled(sources))}
    try:
        found = _Mapping.model_validate(merged)
    except ValidationError as error:
        raise ExportError("\n".join(f"{MAPPING_FILE}: {_where(item)}: {_message(item)}" for item in error.errors())) from None
    entities = contract()
    unknown = [
        f"{MAPPING_FILE}: sources.{source}.tables.{name}.entity: the contract has no entity {table.entity!r}"
        + nearest(table.entity, entities)
        for source, export in found.sources.items()
        for name, table in export.tables.items()
        if table.entity not in entities
    ]
    if unknown:
        raise ExportError("\n".join(unknown))
    return found.organization, found.sources


def _titled(sources: dict[Any, Any]) -> dict[Any, Any]:
    """A system that is not ready is named after its key."""
    known = ready()
    return {
        name: {"title": str(name), **given} if isinstance(given, dict) and name not in known else given
        for name, given in sources.items()
    }


def _merged(first: dict[Any, Any], second: dict[Any, Any]) -> dict[Any, Any]:
    """The keys of both. Where both have a mapping, its keys are merged as well, but the form of a column is replaced, unless it only adds words."""
    merged = dict(first)
    for key, value in second.items():
        known = merged.get(key)
        if isinstance(known, dict) and isinstance(value, dict) and key != "columns":
            merged[key] = _merged(known, value)
        elif isinstance(known, dict) and isinstance(value, dict):
            merged[key] = {**known, **{column: with_words(known.get(column), form) for column, form in value.items()}}
        else:
            merged[key] = value
    return merged


def with_words(known: Any, form: Any) -> Any:
    """A form of `mapping.yml`. One that has only `values` adds its words to those of the ready mapping."""
    if not (isinstance(form, dict) and form.keys() == {"values"}):
        return form
    match known:
        case list() as alternatives:
            return [with_words(each, form) for each in alternatives]
        case str() as column:
            return {"from": column, **form}
        case {"from": str(), **rest}:
            words: Any = rest.get("values") or {}
            return {**known, "values": {**words, **(form["values"] or {})}}
        case {"value": _}:
            return known
        case _:
            return form


def _where(item: Any) -> str:
    return ".".join(str(part) for part in item["loc"] if part != "[key]")


def _message(item: Any) -> str:
    match item["loc"]:
        case ("sources", str() as source, "tables", name, "entity") if item["type"] == "missing" and source in ready():
            return f"is missing, and no ready table is named {name}{nearest(str(name), ready()[source]['tables'])}"
    known = {"extra_forbidden": "unknown key", "missing": "is missing"}
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    return known.get(item["type"]) or f"{item['msg']}, got {item['input']!r}"
