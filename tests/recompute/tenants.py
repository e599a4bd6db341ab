"""What the facts share: the currency that a tenant reports in, and whether a row that is named exists in it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from tests.recompute.money import Rates
from tests.recompute.world import KEYS, Row, World, natural

UNKNOWN = "unknown"
DAY = 86_400_000_000


def days(start: datetime | None, end: datetime | None) -> Fraction | None:
    """The days of 24 hours from one instant to another, with their fraction; None if either is unknown."""
    if start is None or end is None:
        return None
    return Fraction((end - start) // timedelta(microseconds=1), DAY)


def share(part: int | Fraction, whole: int | Fraction) -> Fraction | None:
    """`part` of `whole` in percent; None without a whole."""
    return Fraction(100) * part / whole if whole else None


class Tenants:
    """The tenants of a world, with their rates and the rows that others point at."""

    def __init__(self, world: World) -> None:
        self.as_of = world.as_of
        self.rates = Rates(world)
        self._tables = {
            table: world.by_key(table)
            for table in ("organizations", "facilities", "users", "accounts", "contacts", "products", "deals", "leads", "orders")
        }

    def reporting_currency(self, tenant: str) -> str:
        """The currency that a tenant reports in."""
        return str(self._tables["organizations"][tenant]["reporting_currency"])

    def convert(self, amount: Decimal | None, currency: str, tenant: str, day: date) -> Fraction | None:
        """An amount in the tenant's reporting currency at the rates of a day, or None without one."""
        return self.rates.convert(amount, currency, self.reporting_currency(tenant), day)

    def row(self, table: str, tenant: str, identity: str | None) -> Row | None:
        """The row of a table that an id names, if the tenant has it."""
        found = None if identity is None else self._tables[table].get(identity)
        return found if found is not None and found["organization_id"] == tenant else None

    def key(self, table: str, tenant: str, identity: str | None) -> str | None:
        """The surrogate key of a row that an id names, or None if the tenant has no such row."""
        found = self.row(table, tenant, identity)
        return None if found is None else natural(tenant, found[KEYS[table][0]])

    def facility(self, tenant: str, identity: str | None) -> Row:
        """The columns that name a facility: the one given, or the unknown one where the tenant has no such."""
        found = UNKNOWN if self.row("facilities", tenant, identity) is None else identity
        return {"facility_id": found, "facility_key": natural(tenant, str(found))}

    def user(self, tenant: str, identity: str | None, role: str) -> Row:
        """The columns that name a user in a role (`rep_user`, `user`): the one given, or the unknown one."""
        found = UNKNOWN if self.row("users", tenant, identity) is None else identity
        return {f"{role}_id": found, f"{role}_key": natural(tenant, str(found))}

    def seen(self, moment: datetime | None) -> datetime | None:
        """An instant that the night knows of; None for one that has not come."""
        return moment if moment is not None and moment < self.as_of else None

    def facility_name(self, tenant: str, facility: str) -> str:
        """The name of a facility; `Unknown` for the one that nobody knows."""
        found = self.row("facilities", tenant, facility)
        return "Unknown" if found is None else str(found["name"])

    def user_name(self, tenant: str, user: str) -> str:
        """The name of a user; `unknown` for the one that nobody knows."""
        found = self.row("users", tenant, user)
        return UNKNOWN if found is None else str(found["full_name"] or UNKNOWN)
