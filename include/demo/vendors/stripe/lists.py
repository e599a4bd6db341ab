"""Stripe's lists: filters, paging by the id of the last row, and expanded properties."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from include.demo.vendors.stripe.book import Book
from include.demo.vendors.stripe.errors import StripeError, missing
from include.demo.vendors.stripe.objects import Object

Query = list[tuple[str, str]]

PAGE, LARGEST_PAGE = 10, 100
EXPAND_LEVELS = 4
_PAGING = ("limit", "starting_after", "ending_before", "expand")
_TIMES = ("created", "current_period_start", "current_period_end", "due_date")
#: The filters of each list. The first word of a kind is the name in messages.
FILTERS = {
    "charges": "created customer payment_intent",
    "coupons": "created",
    "credit_notes": "created customer invoice",
    "customers": "created email",
    "events": "created type types",
    "invoice_payments": "created invoice status",
    "invoices": "created customer collection_method due_date status subscription",
    "payment_intents": "created customer",
    "prices": "active created currency product type",
    "products": "active created ids type",
    "refunds": "created charge payment_intent",
    "subscription_items": "subscription",
    "subscriptions": "collection_method created current_period_end current_period_start customer price status",
}
#: The property that objects of a kind have only if a request expands it.
_HIDDEN = {"invoice": "payments", "price": "tiers"}
_NAME = re.compile(r"(\w+)(?:\[(|gt|gte|lt|lte|\d+)\])?$")
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "": lambda value, bound: value == bound,
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


def kind_of(name: str) -> str:
    """A list's word for one object, as Stripe writes it in messages."""
    return name.removesuffix("s").replace("_", " ")


def page(book: Book, name: str, rows: list[Object], query: Query, url: str, filters: str) -> Object:
    """A page of a list, newest first.

    Raises:
        StripeError: a parameter is unknown or invalid, or the cursor is no object of the list.
    """
    wanted = _matching(name, rows, query, filters.split())
    given = dict(query)
    limit = _integer(given, "limit", PAGE)
    if not 1 <= limit <= LARGEST_PAGE:
        bound = (
            f"greater than or equal to 1 (it currently is '{limit}')" if limit < 1 else f"less than or equal to {LARGEST_PAGE}"
        )
        raise StripeError(400, f"This value must be {bound}.", code="parameter_invalid_integer", param="limit")
    after, before = given.get("starting_after"), given.get("ending_before")
    if after is not None and before is not None:
        message = "You cannot parameterize both starting_after and ending_before."
        raise StripeError(400, message, code="parameter_invalid_combination")
    positions = {row["id"]: position for position, row in enumerate(rows)}
    if after is not None:
        start = _position(positions, after, name, "starting_after")
        wanted = [row for row in wanted if positions[row["id"]] > start]
    elif before is not None:
        end = _position(positions, before, name, "ending_before")
        wanted = [row for row in wanted if positions[row["id"]] < end]
        return _list(wanted[-limit:], len(wanted) > limit, url)
    return _list(wanted[:limit], len(wanted) > limit, url)


def _list(rows: list[Object], has_more: bool, url: str) -> Object:
    return {"object": "list", "data": rows, "has_more": has_more, "url": url}


def _position(positions: dict[str, int], id_: str, name: str, param: str) -> int:
    if id_ not in positions:
        raise missing(kind_of(name), id_, param, 400)
    return positions[id_]


def _integer(given: dict[str, str], name: str, default: int) -> int:
    text = given.get(name, str(default))
    if not re.fullmatch(r"-?\d{1,15}", text):
        raise StripeError(400, f"Invalid integer: {text}", code="parameter_invalid_integer", param=name)
    return int(text)


def _matching(name: str, rows: list[Object], query: Query, filters: list[str]) -> list[Object]:
    """The rows that all filters keep. Cancelled subscriptions are kept only if the request asks for them."""
    grouped: dict[str, list[str]] = {}
    for parameter, value in query:
        match = _NAME.match(parameter)
        base, operator = match.groups() if match else (parameter, None)
        if base not in (*_PAGING, *filters) or (base in _TIMES and (operator or "") not in _COMPARE):
            message = f"Received unknown parameter: {parameter}"
            raise StripeError(400, message, code="parameter_unknown", param=parameter)
        if base in _TIMES:
            bound = _integer({parameter: value}, parameter, 0)
            compare = _COMPARE[operator or ""]
            rows = [row for row in rows if (at := _value(row, base)) is not None and compare(at, bound)]
        elif base in filters:
            grouped.setdefault(base, []).append(value)
    if name == "subscription_items" and "subscription" not in grouped:
        raise StripeError(400, "Missing required param: subscription.", code="parameter_missing", param="subscription")
    if name == "subscriptions":
        status = grouped.pop("status", [""])[0]
        if status == "ended":
            rows = [row for row in rows if row["status"] in ("canceled", "incomplete_expired")]
        elif status != "all":
            rows = [row for row in rows if (row["status"] == status if status else row["status"] != "canceled")]
    for base, values in grouped.items():
        rows = [row for row in rows if _text(_value(row, base)) in values or (base == "price" and _has_price(row, values))]
    return rows


def _has_price(subscription: Object, prices: list[str]) -> bool:
    return any(item["price"]["id"] in prices for item in subscription["items"]["data"])


def _value(row: Object, base: str) -> Any:
    if base in ("types", "ids"):
        return row[base[:-1]]
    if base.startswith("current_period"):
        return row["items"]["data"][0][base]
    if row["object"] == "invoice" and base == "subscription":
        return ((row["parent"] or {}).get("subscription_details") or {}).get("subscription")
    return row.get(base)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def expanded(answer: Object, query: Query, fetch: Callable[[str], Object | None], extra: Callable[[Object, str], Any]) -> Object:
    """An answer with the properties that the request expands.

    Args:
        fetch: gives an object for an id.
        extra: gives a property that an object has only if it is expanded.

    Raises:
        StripeError: a property cannot be expanded, or lies too deep.
    """
    for parameter, path in query:
        if not parameter.startswith("expand"):
            continue
        parts = path.split(".")
        if len(parts) > EXPAND_LEVELS:
            message = f"You cannot expand more than {EXPAND_LEVELS} levels of a property. Property: {path}"
            raise StripeError(400, message, code="property_cannot_be_expanded")
        answer = _expand(answer, parts, path, fetch, extra)
    return answer


def _expand(
    value: Any, parts: list[str], path: str, fetch: Callable[[str], Object | None], extra: Callable[[Object, str], Any]
) -> Any:
    if isinstance(value, list):
        return [_expand(each, parts, path, fetch, extra) for each in value]
    if isinstance(value, str):
        value = fetch(value) or value
    if not parts or value is None:
        return value
    first, rest = parts[0], parts[1:]
    if isinstance(value, dict) and first not in value and first == _HIDDEN.get(value.get("object", "")):
        hidden = extra(value, first)
        return value if hidden is None else {**value, first: _expand(hidden, rest, path, fetch, extra)}
    if not isinstance(value, dict) or first not in value:
        raise StripeError(400, f"This property cannot be expanded ({path}).", code="property_cannot_be_expanded")
    return {**value, first: _expand(value[first], rest, path, fetch, extra)}


def first_lines(rows: Iterable[Object], size: int) -> list[Object]:
    """Invoices and credit notes with the first of their lines only, as lists contain them."""
    return [_shortened(row, size) if "lines" in row else row for row in rows]


def _shortened(row: Object, size: int) -> Object:
    lines = row["lines"]
    return {**row, "lines": {**lines, "data": lines["data"][:size], "has_more": len(lines["data"]) > size}}
