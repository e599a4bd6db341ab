"""Helpers shared by the facts: the reporting currency of a tenant, and lookups of the rows that ids refer to."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from tests.recompute.money import Rates
from tests.recompute.sources import KEYS, Row, SourceData, natural

UNKNOWN = "unknown"
DAY = 86_400_000_000


def days(start: datetime | None, end: datetime | None) -> Fraction | None:
    """The days of 24 hours between two instants, with fractions; None if either is unknown."""
    if start is None or end is None:
        return None
    return Fraction((end - start) // timedelta(microseconds=1), DAY)


def share(part: int | Fraction, whole: int | Fraction) -> Fraction | None:
    """`part` of `whole` in percent; None if `whole` is 0."""
    return Fraction(100) * part / whole if whole else None


class Tenants:
    """The tenants (organizations) of the source data, with exchange rates and the rows that other rows refer to."""

    def __init__(self, sources: SourceData) -> None:
        self.as_of = sources.as_of
        self.rates = Rates(sources)
        self._organizations = sources.by_key("organizations")
        self._tables = {
            table: sources.by_tenant(table)
            for table in ("facilities", "users", "accounts", "contacts", "products", "deals", "leads", "orders")
        }

    def reporting_currency(self, tenant: str) -> str:
        """The reporting currency of a tenant."""
        return str(self._organizations[tenant]["reporting_currency"])

    def convert(self, amount: Decimal | Fraction | None, currency: str, tenant: str, day: date) -> Fraction | None:
        """An amount in the tenant's reporting currency at the rates of a day, or None if a rate is missing."""
        return self.rates.convert(amount, currency, self.reporting_currency(tenant), day)

    def row(self, table: str, tenant: str, identity: str | None) -> Row | None:
        """The row with the given id, or None if the tenant has no such row."""
        return None if identity is None else self._tables[table].get((tenant, identity))

    def key(self, table: str, tenant: str, identity: str | None) -> str | None:
        """The surrogate key of the row with the given id, or None if the tenant has no such row."""
        found = self.row(table, tenant, identity)
        return None if found is None else natural(tenant, found[KEYS[table][-1]])

    def facility(self, tenant: str, identity: str | None) -> Row:
        """The id and key columns of a facility. The `unknown` facility is used if the tenant has no such row."""
        found = UNKNOWN if self.row("facilities", tenant, identity) is None else identity
        return {"facility_id": found, "facility_key": natural(tenant, str(found))}

    def user(self, tenant: str, identity: str | None, role: str) -> Row:
        """The id and key columns of a user; `role` is their prefix (`rep_user`). The `unknown` user is used if the tenant has no such row."""
        found = UNKNOWN if self.row("users", tenant, identity) is None else identity
        return {f"{role}_id": found, f"{role}_key": natural(tenant, str(found))}

    def seen(self, moment: datetime | None) -> datetime | None:
        """The instant itself if it lies before as_of, else None."""
        return moment if moment is not None and moment < self.as_of else None

    def facility_name(self, tenant: str, facility: str) -> str:
        """The name of a facility; `Unknown` if the tenant has no such facility."""
        found = self.row("facilities", tenant, facility)
        return "Unknown" if found is None else str(found["name"] or "Unknown")

    def user_name(self, tenant: str, user: str) -> str:
        """The name of a user; `unknown` if the tenant has no such user."""
        found = self.row("users", tenant, user)
        return UNKNOWN if found is None else str(found["full_name"] or UNKNOWN)
