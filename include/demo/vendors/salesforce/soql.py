"""SOQL: the statements that loaders send, which are SELECT of fields, WHERE, ORDER BY, LIMIT and OFFSET, over one object.

A field of a parent is written with its relationship, as Owner.Name or Facility__r.Name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from include.demo.vendors.salesforce.objects import BY_NAME, NAMES, is_polymorphic
from include.demo.vendors.salesforce.records import Record
from include.demo.vendors.salesforce.shape import Field, SObject

Test = Callable[[Record], bool]
Value = Callable[[Record], Any]

ID = (Field("Id", "", "id"), Field("IsDeleted", "", "boolean"))
_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*')"
    r"|(?P<instant>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))"
    r"|(?P<date>\d{4}-\d\d-\d\d)"
    r"|(?P<number>[+-]?\d+(?:\.\d+)?)"
    r"|(?P<name>[A-Za-z_][\w.]*)"
    r"|(?P<mark><=|>=|!=|<>|[=<>(),]))"
)


class Malformed(Exception):
    """The statement is invalid. `code` is Salesforce's error code."""

    def __init__(self, message: str, code: str = "MALFORMED_QUERY") -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Statement:
    """A parsed statement. `columns` are the paths of the selected fields, each with its value in a record; none for COUNT()."""

    sobject: SObject
    test: Test
    columns: list[tuple[str, Value]] = field(default_factory=list)
    order: list[tuple[Value, bool, bool]] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0

    def run(self, records: list[Record]) -> list[Record]:
        """The records that the statement selects, in its order; by Id otherwise."""
        found = [record for record in records if self.test(record)]
        for value, down, nulls_first in reversed(self.order):
            present = sorted((one for one in found if value(one) is not None), key=value, reverse=down)
            missing = [one for one in found if value(one) is None]
            found = missing + present if nulls_first else present + missing
        return found[self.offset : None if self.limit is None else self.offset + self.limit]


class Parser:
    """Parses one statement.

    Args:
        text: the statement.
        hidden: names of fields that the organization does not have, in lower case.
        lookup: the records of an object by id, for fields of parents.
    """

    def __init__(self, text: str, hidden: frozenset[str], lookup: Callable[[str, str], Record | None]) -> None:
        self._hidden = hidden
        self._lookup = lookup
        self._tokens: list[tuple[str, str]] = []
        place = 0
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if match is None:
                raise Malformed(f"unexpected token: {text[place:].strip()[:20]}")
            self._tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            place = match.end()
        self._place = 0

    def statement(self) -> Statement:
        """The statement.

        Raises:
            Malformed: it is no statement of this form, or names an unknown object or field.
        """
        self._need("select")
        selected = [self._name()]
        if selected[0].lower() == "count" and self._take("("):
            self._need(")")
            selected = []
        elif selected[0].lower() == "fields" and self._take("("):
            selected[0] = f"fields({self._name().lower()})"
            self._need(")")
        while self._take(","):
            selected.append(self._name())
        self._need("from")
        name = self._name()
        sobject = BY_NAME.get(name.lower())
        if sobject is None:
            raise Malformed(f"sObject type '{name}' is not supported.", "INVALID_TYPE")
        self._sobject = sobject
        test = self._any() if self._take("where") else _always
        result = Statement(sobject, test)
        if self._take("order"):
            self._need("by")
            result.order.append(self._order())
            while self._take(","):
                result.order.append(self._order())
        result.limit = int(self._next("number")) if self._take("limit") else None
        result.offset = int(self._next("number")) if self._take("offset") else 0
        if self._place < len(self._tokens):
            raise Malformed(f"unexpected token: {self._tokens[self._place][1]}")
        result.columns = [(name, self._value(name)[0]) for name in self._selected(selected, result.limit)]
        return result

    def _selected(self, names: list[str], limit: int | None) -> list[str]:
        if names and names[0].startswith("fields("):
            if limit is None or limit > 200:
                raise Malformed("The SOQL FIELDS function must have a LIMIT of at most 200")
            custom = {"fields(custom)": (True,), "fields(standard)": (False,)}.get(names[0], (True, False))
            known = [one.name for one in (*ID, *self._sobject.fields) if one.name.lower() not in self._hidden]
            return [name for name in known if name.endswith("__c") in custom]
        return names

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("end", "<EOF>")

    def _take(self, word: str) -> bool:
        kind, text = self._peek()
        if kind in ("name", "mark") and text.lower() == word:
            self._place += 1
            return True
        return False

    def _need(self, word: str) -> None:
        if not self._take(word):
            raise Malformed(f"unexpected token: {self._peek()[1]} (expected {word})")

    def _next(self, kind: str) -> str:
        found, text = self._peek()
        if found != kind:
            raise Malformed(f"unexpected token: {text}")
        self._place += 1
        return text

    def _name(self) -> str:
        return self._next("name")

    def _order(self) -> tuple[Value, bool, bool]:
        value = self._value(self._name())[0]
        down = self._take("desc")
        if not down:
            self._take("asc")
        first = True
        if self._take("nulls"):
            first = self._take("first")
            if not first:
                self._need("last")
        return value, down, first

    def _any(self) -> Test:
        tests = [self._all()]
        while self._take("or"):
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda record: any(test(record) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._take("and"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda record: all(test(record) for test in tests)

    def _one(self) -> Test:
        if self._take("not"):
            inner = self._one()
            return lambda record: not inner(record)
        if self._take("("):
            inside = self._any()
            self._need(")")
            return inside
        value, kind = self._value(self._name())
        if self._take("not"):
            self._need("in")
            unwanted = self._literals(kind)
            return lambda record: _comparable(value(record), kind) not in unwanted
        if self._take("in"):
            wanted = self._literals(kind)
            return lambda record: _comparable(value(record), kind) in wanted
        if self._take("like"):
            pattern = re.compile(_like(self._literal(kind)), re.IGNORECASE | re.DOTALL)
            return lambda record: pattern.fullmatch(str(value(record) or "")) is not None
        mark = self._next("mark")
        if mark not in _COMPARISONS:
            raise Malformed(f"unexpected token: {mark}")
        other, compare = self._literal(kind), _COMPARISONS[mark]
        if other is None and mark not in ("=", "!=", "<>"):
            raise Malformed(f"null cannot be compared by {mark}")

        def holds(record: Record) -> bool:
            found = _comparable(value(record), kind)
            return compare(found, other) if None not in (found, other) or mark in ("=", "!=", "<>") else False

        return holds

    def _literals(self, kind: str) -> list[Any]:
        self._need("(")
        result = [self._literal(kind)]
        while self._take(","):
            result.append(self._literal(kind))
        self._need(")")
        return result

    def _literal(self, kind: str) -> Any:
        found, text = self._peek()
        self._place += 1
        accepted = {
            "datetime": "instant",
            "date": "date",
            "double": "number",
            "currency": "number",
            "percent": "number",
            "int": "number",
        }
        if found == "name" and text.lower() == "null":
            return None
        if kind == "boolean" and found == "name" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if found != accepted.get(kind, "string") or kind == "boolean":
            raise Malformed(f"value of filter criterion for a field of type {kind} must be of that type: {text}", "INVALID_FIELD")
        if found == "instant":
            return datetime.fromisoformat(text)
        if found == "date":
            return date.fromisoformat(text)
        return Decimal(text) if found == "number" else _comparable(re.sub(r"\\(.)", r"\1", text[1:-1]), kind)

    def _value(self, path: str) -> tuple[Value, str]:
        """The value and the type of a field, which may be a field of a parent."""
        sobject, steps = self._sobject, path.split(".")
        if steps[0].lower() == sobject.name.lower() and len(steps) > 1:
            steps = steps[1:]
        several = sobject.by_name.get(f"{steps[0].lower()}id")
        if several is not None and is_polymorphic(sobject, several) and [step.lower() for step in steps[1:]] == ["type"]:
            return lambda record: NAMES.get((record[several.name] or "")[:3]), "picklist"
        hops: list[tuple[str, str]] = []
        for step in steps[:-1]:
            name = step[:-1] + "c" if step.lower().endswith("__r") else f"{step}Id"
            lead = sobject.by_name.get(name.lower())
            if lead is None or lead.to is None:
                raise Malformed(f"Didn't understand relationship '{step}' in field path.", "INVALID_FIELD")
            hops.append((lead.name, lead.to))
            sobject = BY_NAME[lead.to.lower()]
        found = next((one for one in ID if one.name.lower() == steps[-1].lower()), sobject.by_name.get(steps[-1].lower()))
        if found is None or found.name.lower() in self._hidden:
            raise Malformed(
                f"No such column '{steps[-1]}' on entity '{sobject.name}'. If you are attempting to use a custom field, be sure to append"
                " the '__c' after the custom field name.",
                "INVALID_FIELD",
            )
        last = found.name

        def value(record: Record) -> Any:
            current: Record | None = record
            for name, to in hops:
                key = None if current is None else current[name]
                current = None if key is None else self._lookup(to, key)
            return None if current is None else current[last]

        return value, found.type


def _always(record: Record) -> bool:
    return True


def _comparable(value: Any, kind: str) -> Any:
    """Texts are equal whatever their case; ids are not, and one of 15 characters equals the one of 18."""
    if isinstance(value, str):
        return value[:15] if kind in ("id", "reference") else value.lower()
    return value


def _like(pattern: Any) -> str:
    return "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in str(pattern))


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda found, wanted: found == wanted,
    "!=": lambda found, wanted: found != wanted,
    "<>": lambda found, wanted: found != wanted,
    "<": lambda found, wanted: found < wanted,
    "<=": lambda found, wanted: found <= wanted,
    ">": lambda found, wanted: found > wanted,
    ">=": lambda found, wanted: found >= wanted,
}
