"""Reads objects with HubSpot's own client, and their values."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hubspot import HubSpot
from hubspot.crm.associations.v4 import BatchInputPublicFetchAssociationsBatchRequest


def client(address: str, token: str) -> HubSpot:
    """HubSpot's client, pointed at a server."""
    return HubSpot(access_token=token, host=address)


def names_of(api: HubSpot, kind: str) -> list[str]:
    """The names of all properties of an object type."""
    return [one.name for one in api.crm.properties.core_api.get_all(kind).results]


def listed(api: HubSpot, kind: str, **options: Any) -> list[Any]:
    """All objects of a type, with all properties, by the list."""
    options = {"limit": 100, "properties": names_of(api, kind)} | options
    found, after = [], None
    while True:
        page = api.crm.objects.basic_api.get_page(kind, after=after, **options)
        found += page.results
        if page.paging is None:
            return found
        after = page.paging.next.after


def associated(api: HubSpot, kind: str, other: str, ids: list[str]) -> dict[str, list[tuple[str, str | None]]]:
    """By object, the ids of the associated objects, each with the labels of the association."""
    found: dict[str, list[tuple[str, str | None]]] = {}
    for start in range(0, len(ids), 1000):
        inputs: list[dict[str, str]] = [{"id": key} for key in ids[start : start + 1000]]
        while inputs:
            body = BatchInputPublicFetchAssociationsBatchRequest(inputs=inputs)
            inputs = []
            for one in api.crm.associations.v4.batch_api.get_page(kind, other, body).results:
                pairs = found.setdefault(one._from.id, [])
                pairs += [(str(to.to_object_id), kind.label) for to in one.to for kind in to.association_types]
                if one.paging is not None:
                    inputs.append({"id": one._from.id, "after": one.paging.next.after})
    return found


def instant(text: str | None) -> datetime | None:
    """A datetime property."""
    return datetime.fromisoformat(text) if text else None


def decimal(text: str | None) -> Decimal | None:
    """A number property, at the scale of the contract."""
    return round(Decimal(text), 9) if text else None


def whole(text: str | None) -> int | None:
    """A number property without a fraction."""
    return int(text) if text else None


def day(text: str | None) -> date | None:
    """A date property."""
    return date.fromisoformat(text) if text else None


def flag(text: str | None) -> bool:
    """A bool property."""
    return text == "true"


def only(found: dict[str, list[tuple[str, str | None]]], key: str) -> str | None:
    """The only associated object of an object, if there is one."""
    return found[key][0][0] if key in found else None
