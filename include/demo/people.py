"""Organizations, their facilities, staff and products, and the compliance checks of each facility."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from include.demo import clock, names
from include.demo.clock import DAY, EPOCH, HOUR
from include.demo.dice import Dice, Weighted
from include.demo.world import World

ROLES = ("sales_rep", "support_agent", "csm", "sales_rep", "manager", "support_agent", "sales_rep", "support_agent")

PRICE_LEVEL = {"JPY": 150}
"""Factors for prices in a currency. Prices in other currencies have the factor 1."""

_SOFTWARE = (("Platform", 40, 8), ("Analytics", 25, 4), ("Automation", 30, 6), ("Premium Support", 15, 9))
_GOODS = (
    ("Sensor", "hardware", 39, 17),
    ("Gateway", "hardware", 189, 96),
    ("Handheld Scanner", "hardware", 449, 260),
    ("Edge Server", "hardware", 1290, 840),
    ("Mounting Kit", "accessories", 19, 6),
    ("Battery Pack", "accessories", 59, 24),
    ("Installation Day", "services", 820, 430),
    ("Training Day", "services", 640, 300),
)


@dataclass(frozen=True)
class Product:
    """A product of one organization. `base` is its price in cents, the same for euros, pounds and dollars."""

    id: str
    name: str
    category: str
    base: int

    def price_in(self, currency: str) -> int:
        """The list price in hundredths of a currency."""
        return self.base * PRICE_LEVEL.get(currency, 1)


@dataclass(frozen=True)
class User:
    """An employee. `until` is the end of the employment; None if it has no end."""

    id: str
    role: str
    facility: str
    until: int | None


@dataclass
class Org:
    """An organization, with its facilities, users and products for other modules."""

    index: int
    id: str
    home: names.Home
    facilities: list[str] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)

    @cached_property
    def software(self) -> list[Product]:
        """Products sold by subscription. The first is the platform, which every customer has."""
        return [product for product in self.products if product.category == "subscription"]

    @cached_property
    def goods(self) -> list[Product]:
        """Products sold by order."""
        return [product for product in self.products if product.category != "subscription"]

    def staff(self, role: str, when: int) -> list[User]:
        """The employed users with a role at an instant."""
        return [user for user in self.users if user.role == role and (user.until is None or user.until > when)]

    def office_time(self, dice: Dice, day: int) -> int:
        """A random instant in the office hours of the day that begins at `day`."""
        return day + (9 - self.home.utc_hours) * HOUR + dice.whole(0, 9 * HOUR - 1)


def organizations(world: World) -> list[Org]:
    """Write organizations, facilities, users and products. Returns the organizations; the first one is in London."""
    count = max(2, round(2 * world.scale))
    result = []
    for index in range(count):
        home = names.HOMES[index % len(names.HOMES)]
        org = Org(index, world.uuid("organization", index), home)
        suffix = "" if index < len(names.HOMES) else f" {index // len(names.HOMES) + 1}"
        founded = clock.at(2015, 3, 2, 9) + index * DAY
        world.add(
            "organizations",
            EPOCH - 30 * DAY,
            {
                "organization_id": org.id,
                "name": home.name + suffix,
                "timezone": home.timezone,
                "reporting_currency": home.currency,
                "created_at": founded,
            },
        )
        _facilities(world, org, max(2, round(8 * world.scale / count)), founded)
        _users(world, org, max(8, round(40 * world.scale / count)), founded)
        _products(world, org, founded)
        result.append(org)
    return result


def _facilities(world: World, org: Org, count: int, founded: int) -> None:
    for number in range(count):
        city, region = org.home.cities[number % len(org.home.cities)]
        facility = world.uuid("facility", org.index, number)
        suffix = "" if number < len(org.home.cities) else f" {number // len(org.home.cities) + 1}"
        values = {
            "facility_id": facility,
            "organization_id": org.id,
            "name": f"{city} office{suffix}",
            "city": city,
            "region": region,
            "created_at": founded,
        }
        world.add("facilities", EPOCH - 29 * DAY, values)
        org.facilities.append(facility)


def _users(world: World, org: Org, count: int, founded: int) -> None:
    for number in range(count):
        dice = world.dice("user", org.index, number)
        first, last = dice.pick(names.FIRST_NAMES), dice.pick(names.LAST_NAMES)
        user = User(
            world.uuid("user", org.index, number),
            ROLES[number % len(ROLES)],
            org.facilities[number % len(org.facilities)],
            # One user in ten leaves. The first eight never leave, so every role always has a user.
            EPOCH + dice.whole(300, 1500) * DAY + 17 * HOUR if number >= 8 and number % 10 == 9 else None,
        )
        mail = f"{first}.{last}{number}".lower().replace("'", "")
        values = {
            "user_id": user.id,
            "organization_id": org.id,
            # Some managers belong to no facility.
            "facility_id": None if user.role == "manager" and number % 3 == 1 else user.facility,
            "full_name": f"{first} {last}",
            "email": f"{mail}@{org.home.name.split()[0].lower()}.example",
            "role": user.role,
            "is_active": True,
            "created_at": founded + dice.whole(1, 1500) * DAY,
        }
        changes = [(user.until, {"is_active": False})] if user.until else []
        world.add("users", EPOCH - 28 * DAY, values, changes)
        org.users.append(user)


def _products(world: World, org: Org, founded: int) -> None:
    catalogue = [(name, "subscription", price, cost) for name, price, cost in _SOFTWARE] + list(_GOODS)
    for number, (name, category, price, cost) in enumerate(catalogue):
        product = Product(world.uuid("product", org.index, number), name, category, price * 100)
        kind = {"subscription": "software", "services": "service"}.get(category, "physical")
        stock = 120 if kind == "physical" else 0
        values = {
            "product_id": product.id,
            "organization_id": org.id,
            "sku": f"{name[:3].upper()}-{100 + number}",
            "name": name,
            "category": category,
            "product_type": kind,
            "unit_price": product.price_in(org.home.currency),
            "unit_cost": cost * 100 * PRICE_LEVEL.get(org.home.currency, 1),
            "currency": org.home.currency,
            "stock_quantity": stock,
            "reorder_level": 40 if kind == "physical" else 0,
            "is_active": True,
            "created_at": founded + number * DAY,
        }
        changes: list[tuple[int, dict[str, object]]] = []
        if kind == "physical":
            dice = world.dice("stock", org.index, number)
            week = EPOCH + (number % 7) * DAY + 20 * HOUR
            while not world.stop(week):
                stock = stock - dice.whole(5, 45)
                stock = 180 if stock < 0 and dice.chance(0.7) else max(stock, 0)
                changes.append((week, {"stock_quantity": stock}))
                week += 7 * DAY
        world.add("products", EPOCH - 27 * DAY, values, changes)
        org.products.append(product)


_OUTCOMES = Weighted({"passed": 84, "failed": 8, "waived": 3, "pending": 5})


def compliance_checks(world: World, orgs: list[Org]) -> None:
    """Write three checks per facility and month. They are due at least 20 days later, and a few are never completed."""
    for org in orgs:
        for facility in org.facilities:
            for kind, check_type in enumerate(names.CHECK_TYPES):
                _checks_of(world, org, facility, kind, check_type)


def _checks_of(world: World, org: Org, facility: str, kind: int, check_type: str) -> None:
    dice = world.dice("checks", facility, kind)
    month = 0
    while not world.stop(clock.month_start(month)):
        due = clock.month_start(month) + dice.whole(20, 27) * DAY + 16 * HOUR
        outcome = dice.draw(_OUTCOMES)
        done = due + dice.whole(-6, 2) * DAY + dice.whole(0, 3) * HOUR
        values = {
            "check_id": world.uuid("check", facility, kind, month),
            "organization_id": org.id,
            "facility_id": facility,
            "check_type": check_type,
            "status": "pending",
            "due_at": due,
        }
        changes = [] if outcome == "pending" else [(done, {"status": outcome, "completed_at": done})]
        world.add("compliance_checks", clock.month_start(month) + 8 * HOUR, values, changes)
        month += 1
