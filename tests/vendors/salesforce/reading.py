"""Reads objects with simple-salesforce, and their values."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

from include.demo.vendors.common import Row


class Plain(HTTPAdapter):
    """Sends requests to a local server without TLS. The client only knows https."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        assert request.url is not None
        request.url = self._address + "/" + request.url.split("/", 3)[3]
        return super().send(request, *args, **kwargs)


def client(address: str, key: str, secret: str) -> Salesforce:
    """simple-salesforce, which gets its token from a server by the client credentials flow."""
    session = requests.Session()
    session.mount("https://", Plain(address))
    return Salesforce(consumer_key=key, consumer_secret=secret, domain="demo.my", session=session, version="67.0")


def fields_of(api: Salesforce, name: str) -> list[str]:
    """The names of the fields of an object, without compound ones."""
    fields = getattr(api, name).describe()["fields"]
    compound = {field["compoundFieldName"] for field in fields}
    return [field["name"] for field in fields if field["name"] not in compound]


def records(api: Salesforce, name: str, also: str = "") -> list[Row]:
    """All records of an object, by queryAll."""
    selected = ", ".join(fields_of(api, name)) + also
    found: list[Row] = api.query_all(f"SELECT {selected} FROM {name}", include_deleted=True)["records"]
    return found


def instant(text: str | None) -> datetime | None:
    """A datetime field."""
    return datetime.fromisoformat(text) if text else None


def day(text: str | None) -> date | None:
    """A date field."""
    return date.fromisoformat(text) if text else None


def decimal(value: float | None) -> Decimal | None:
    """A number field, at the scale of the contract."""
    return None if value is None else round(Decimal(str(value)), 9)


def whole(value: float | None) -> int | None:
    """A number field without a fraction."""
    return None if value is None else int(value)


def lower(value: str | None) -> str | None:
    """A picklist value as a word of the contract."""
    return None if value is None else value.lower().replace(" ", "_")
