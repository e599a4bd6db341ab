"""HubSpot's JSON: objects with the properties, histories and associations that a request asks for, and descriptions of the account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from include.demo.vendors.common import Account, Faults, Row, number_of
from include.demo.vendors.hubspot import words
from include.demo.vendors.hubspot.records import Record, Version
from include.demo.vendors.hubspot.search import types_of
from include.demo.vendors.hubspot.shape import Kind, Property, object_id, text

Json = dict[str, Any]

STAGE_TIMES = "hs_v2_date_entered_"
"""The start of properties that lists of properties lack, although objects have them."""
ASSOCIATED = 500
"""The most associations of one object in an answer."""
_FOUNDED = datetime(2015, 3, 2, tzinfo=UTC)
_FIELDS = {
    "string": "text",
    "number": "number",
    "datetime": "date",
    "date": "date",
    "bool": "booleancheckbox",
    "enumeration": "select",
}
_TEAMS = {"sales_rep": "Sales representatives", "csm": "Customer success", "support_agent": "Support", "manager": "Management"}


def instant(at: datetime) -> str:
    """An instant as HubSpot writes it: 2026-09-01T10:00:00.123Z."""
    return str(text(at, "datetime"))


def object_json(
    kind: Kind,
    record: Record,
    names: list[str],
    faults: Faults,
    histories: list[str] | None = None,
    linked: list[Kind] | None = None,
) -> Json:
    """An object with the named properties. A property that was never set is null, or absent if the setting `unset` is "absent"."""
    basic = ("hs_object_id", kind.created, kind.modified)
    wanted = [*dict.fromkeys((*basic, *(names or kind.defaults)))]
    known = types_of(kind)
    overridden: dict[str, str | None] = faults.setting("values", {}).get(record.id, {})
    found = {name: overridden.get(name, record.properties.get(name)) for name in wanted if name in known}
    if faults.setting("unset") == "absent":
        found = {name: value for name, value in found.items() if value is not None}
    result: Json = {
        "id": record.id,
        "properties": found,
        "createdAt": instant(record.created),
        "updatedAt": instant(record.updated),
        "archived": record.archived is not None,
    }
    if record.archived is not None:
        result["archivedAt"] = instant(record.archived)
    if histories:
        result["propertiesWithHistory"] = {name: _versions(record, name) for name in histories if name in known}
    links = {other.name: _inline(kind, other, record) for other in linked or [] if record.targets.get(other.name)}
    if links:
        result["associations"] = links
    return result


def _versions(record: Record, name: str) -> list[Json]:
    """The versions of a property, newest first. Most properties have the present value alone."""
    versions = record.history.get(name)
    if versions is None:
        versions = [Version(record.properties[name], record.updated)] if name in record.properties else []
    return [
        {"value": version.value, "timestamp": instant(version.at), "sourceType": "CRM_UI"}
        | ({"sourceId": f"userId:{version.user}", "updatedByUserId": version.user} if version.user else {})
        for version in versions
    ]


def _inline(kind: Kind, other: Kind, record: Record) -> Json:
    """The associations of an object as a list gives them: one entry for each type, so an object may occur twice."""
    here, there = _singular(kind), _singular(other)
    entries = []
    for target in record.targets[other.name][:ASSOCIATED]:
        for _, label in target.types:
            plain = len(target.types) > 1 and label is None
            entries.append({"id": target.id, "type": f"{here}_to_{there}" + ("_unlabeled" if plain else "")})
    result: Json = {"results": entries}
    if len(record.targets[other.name]) > ASSOCIATED:
        result["paging"] = {"next": {"after": str(ASSOCIATED), "link": "https://api.hubapi.com/"}}
    return result


def _singular(kind: Kind) -> str:
    return {"companies": "company", "facilities": "facility"}.get(kind.name, kind.name.removesuffix("s"))


def associations_json(kind: Kind, other: Kind, record: Record, start: int, size: int, as_text: bool) -> Json:
    """The associations of one object in an answer of a batch read. Version 4 gives ids as numbers, the date version as texts."""
    targets = record.targets[other.name]
    result: Json = {
        "from": {"id": record.id},
        "to": [
            {
                "toObjectId": target.id if as_text else target.number,
                "associationTypes": [
                    {"category": _category(other, kind), "typeId": number, "label": label} for number, label in target.types
                ],
            }
            for target in targets[start : start + size]
        ],
    }
    if start + size < len(targets):
        result["paging"] = {"next": {"after": str(start + size), "link": "https://api.hubapi.com/deprecated"}}
    return result


def _category(*kinds: Kind) -> str:
    return "USER_DEFINED" if any(kind.type_id.startswith("2-") for kind in kinds) else "HUBSPOT_DEFINED"


def unassociated_json(kind: Kind, other: Kind, key: str) -> Json:
    """The error for an object without associations in an answer of a batch read."""
    here, there = _singular(kind), _singular(other)
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {there} is associated with {here} {key}.",
        "context": {"fromObjectId": [key], "fromObjectType": [here], "toObjectType": [there]},
        "links": {},
        "errors": [],
    }


def owner_json(row: Row) -> Json:
    """An employee as an owner. An owner whose user is deactivated is archived, and its user id moves."""
    first, _, last = row["full_name"].partition(" ")
    user = number_of(row["user_id"], 27)
    team = {"id": str(number_of(row["role"], 20)), "name": _TEAMS[row["role"]], "primary": True}
    return {
        "id": object_id(row["user_id"]),
        "email": row["email"],
        "type": "PERSON",
        "firstName": first,
        "lastName": last,
        "userId": user if row["is_active"] else None,
        "userIdIncludingInactive": user,
        "createdAt": instant(row["created_at"]),
        "updatedAt": instant(row["updated_at"]),
        "archived": not row["is_active"],
        "teams": [team],
    }


def property_json(kind: Kind, prop: Property, account: Account) -> Json:
    """A property as `/crm/v3/properties/{object}` describes it."""
    return _described(prop.name, prop.type, _options(kind, prop, account), prop.custom)


def system_properties_json(kind: Kind) -> list[Json]:
    """The properties that HubSpot sets."""
    own = {prop.name for prop in kind.properties}
    known = types_of(kind).items()
    return [
        _described(name, kind_of, [], False) for name, kind_of in known if name not in own and not name.startswith(STAGE_TIMES)
    ]


def schema_json(kind: Kind, portal: int) -> Json:
    """A custom object as `/crm-object-schemas/v3/schemas` describes it: there a reader learns its id."""
    return {
        "id": kind.type_id.removeprefix("2-"),
        "objectTypeId": kind.type_id,
        "name": kind.name,
        "fullyQualifiedName": f"p{portal}_{kind.name}",
        "labels": {"singular": _singular(kind).capitalize(), "plural": kind.name.capitalize()},
        "primaryDisplayProperty": kind.properties[0].name,
        "requiredProperties": [kind.properties[0].name],
        "searchableProperties": [],
        "secondaryDisplayProperties": [],
        "properties": [_described(prop.name, prop.type, [], prop.custom) for prop in kind.properties],
        "associations": [],
        "archived": False,
        "createdAt": instant(_FOUNDED),
        "updatedAt": instant(_FOUNDED),
    }


def _described(name: str, kind: str, options: list[Json], custom: bool) -> Json:
    return {
        "name": name,
        "label": name.removeprefix("hs_").replace("_", " ").capitalize(),
        "type": kind,
        "fieldType": _FIELDS.get(kind, "text"),
        "description": "",
        "groupName": "information",
        "options": options,
        "hubspotDefined": not custom,
        "calculated": False,
        "hidden": False,
        "archived": False,
        "createdAt": instant(_FOUNDED),
        "updatedAt": instant(_FOUNDED),
    }


def _options(kind: Kind, prop: Property, account: Account) -> list[Json]:
    labels: dict[str, str] = {}
    if prop.words is not None:
        labels = {value: word.replace("_", " ").capitalize() for word, value in prop.words.items()}
    elif prop.name == "hs_ticket_category":
        labels = {row["category_id"]: row["name"] for row in account.tables["ticket_categories"]}
    elif prop.name == "root_cause":
        labels = {row["root_cause_id"]: row["name"] for row in account.tables["root_causes"]}
    elif prop.type == "enumeration" and isinstance(prop.source, str):
        values = {row[prop.source] for row in account.tables[kind.table] if row[prop.source] is not None}
        labels = {value: value for value in sorted(values)}
    return [
        {"label": label, "value": value, "displayOrder": number, "hidden": False, "description": ""}
        for number, (value, label) in enumerate(labels.items())
    ]


_PROBABILITIES = {
    "prospecting": 0.1,
    "qualification": 0.25,
    "proposal": 0.5,
    "negotiation": 0.75,
    "closed_won": 1.0,
    "closed_lost": 0.0,
}


def pipelines_json(kind: str) -> list[Json] | None:
    """The pipelines of deals, tickets or leads; None for a type without pipelines."""
    if kind == "deals":
        stages = [
            (value, word, {"isClosed": _flag(word.startswith("closed")), "probability": str(_PROBABILITIES[word])})
            for word, value in words.STAGES.items()
        ]
        return [_pipeline("default", "Sales Pipeline", stages)]
    if kind == "tickets":
        closed = ("resolved", "closed")
        stages = [
            (value, word, {"isClosed": _flag(word in closed), "ticketState": "CLOSED" if word in closed else "OPEN"})
            for word, value in words.TICKET_STAGES.items()
        ]
        return [_pipeline("0", "Support Pipeline", stages)]
    if kind == "leads":
        return [_pipeline("lead-pipeline-id", "Lead Pipeline", [(value, word, {}) for word, value in words.LEAD_STAGES.items()])]
    return None


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _pipeline(key: str, label: str, stages: list[tuple[str, str, dict[str, str]]]) -> Json:
    times = {"createdAt": instant(_FOUNDED), "updatedAt": instant(_FOUNDED), "archived": False}
    return {
        "id": key,
        "label": label,
        "displayOrder": 0,
        **times,
        "stages": [
            {"id": value, "label": word.replace("_", " ").capitalize(), "displayOrder": number, "metadata": metadata, **times}
            for number, (value, word, metadata) in enumerate(stages)
        ],
    }
