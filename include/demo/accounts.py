"""Accounts and contacts, with the periods in which an account is a customer, and its plans."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

from include.demo import clock, names
from include.demo.clock import DAY, EPOCH, HOUR
from include.demo.dice import Dice, Weighted
from include.demo.people import Org
from include.demo.signs import Sign, signs
from include.demo.world import World

Period = tuple[int, int | None]
"""The start and the end of a period as a customer. The end is None for a period without an end."""

Place = tuple[str, str, str | None, str]
"""Region, country, city, currency."""

TIERS = ("starter", "growth", "enterprise")
CASE_ACCOUNTS = 11
"""The number of edge-case accounts. The number of random accounts is reduced by it."""

_INDUSTRY = Weighted(names.INDUSTRIES)
_TITLE = Weighted(names.TITLES)
_GENDER = Weighted({"female": 46, "male": 46, "non_binary": 2, None: 6})
_INCOME = Weighted({"low": 20, "medium": 45, "high": 20, None: 15})
_CONTACTS = Weighted({2: 30, 3: 40, 4: 20, 5: 10})


@dataclass
class Account:
    """An account, with the facts that other modules need."""

    index: int
    id: str
    org: Org
    name: str
    created: int
    facility: str
    place: Place
    employees: int
    customer_periods: list[Period] = field(default_factory=list)
    signs: list[Sign] = field(default_factory=list)
    tiers: list[tuple[int, str]] = field(default_factory=list)
    contacts: list[tuple[int, str]] = field(default_factory=list)

    @property
    def currency(self) -> str:
        """The billing currency of the account."""
        return self.place[3]

    @property
    def weight(self) -> float:
        """The relative business volume of the account."""
        return 0.5 + min(self.employees, 2000) / 400

    def is_customer(self, when: int) -> bool:
        """Whether the account is a customer at an instant."""
        return any(start <= when and (end is None or when < end) for start, end in self.customer_periods)

    def customer_until(self, when: int) -> int | None:
        """The end of the customer period that contains an instant; None if there is no end."""
        return next((end for start, end in self.customer_periods if start <= when and (end is None or when < end)), None)

    def sign(self, name: str, when: int) -> Sign | None:
        """The sign of the given name that the account shows at an instant; None if it shows none."""
        return next((sign for sign in self.signs if sign.name == name and sign.begin <= when < sign.end), None)

    def tier(self, when: int) -> str:
        """The plan at an instant. Before the first plan starts, it is the first plan."""
        current = self.tiers[0][1]
        for start, tier in self.tiers:
            if start <= when:
                current = tier
        return current

    def contact(self, dice: Dice, when: int) -> str | None:
        """A random contact known at an instant. It is sometimes None."""
        known = [contact for born, contact in self.contacts if born <= when]
        return dice.pick(known) if known and dice.chance(0.93) else None


@dataclass
class AccountPool:
    """All random accounts, oldest first. Other modules pick accounts from it."""

    accounts: list[Account]
    _created: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._created = [account.created for account in self.accounts]

    def before(self, when: int) -> list[Account]:
        """The accounts created before an instant."""
        return self.accounts[: bisect_left(self._created, when)]

    def weighted(self, accounts: list[Account]) -> Weighted[int]:
        """Positions in `accounts`, weighted by business volume."""
        return Weighted({number: account.weight for number, account in enumerate(accounts)})


def accounts(world: World, orgs: list[Org]) -> AccountPool:
    """Write the random accounts and their contacts. Returns the pool of these accounts."""
    total = max(16, round(150 * world.scale) - CASE_ACCOUNTS)
    initial = round(total * 0.45)
    result = [_account(world, orgs[index % len(orgs)], index, None) for index in range(initial)]
    for month in world.months():
        for _ in range(world.budget(total - initial, month, growth=0.5)):
            index = len(result)
            result.append(_account(world, orgs[index % len(orgs)], index, month))
    result.sort(key=lambda account: (account.created, account.index))
    by_index = {account.index: account for account in result}
    for account in result:
        # One account in twelve is a child of an older account of its organization.
        child = account.index % 12 == 11 and account.index >= len(orgs)
        _write(world, account, by_index[account.index - len(orgs)] if child else None)
    return AccountPool(result)


def _account(world: World, org: Org, index: int, month: int | None) -> Account:
    dice = world.dice("account", index)
    employees = dice.skewed(4, 3500, 4)
    if month is None:
        # The first accounts are old enough for the order history, which begins in 2019.
        old = index < 4 or dice.chance(0.6)
        days = dice.whole(0, 1000) if old else dice.whole(1040, 2740)
        created = clock.at(2016, 3, 1) + days * DAY + dice.whole(8, 17) * HOUR
    else:
        span = (clock.month_start(month + 1) - clock.month_start(month)) // DAY
        created = org.office_time(dice, clock.month_start(month) + dice.whole(0, span - 1) * DAY)
    home = org.home
    place: Place = (home.region, home.country, dice.pick(home.cities)[0], home.currency)
    if dice.chance(0.25):
        region, country, currency = dice.pick(names.ABROAD)
        place = (region, country, None, currency)
    account = Account(
        index=index,
        id=world.uuid("account", index),
        org=org,
        name=account_name(index),
        created=created,
        facility=dice.pick(org.facilities),
        place=place,
        employees=employees,
    )
    if index % 6 == 5:
        return account
    # Customers of the imported history start in the new systems during the first three months.
    start = max(created, EPOCH) + dice.whole(2, 95 if month is None else 60) * DAY + dice.whole(8, 16) * HOUR
    account.customer_periods.append(_customer_period(dice, start, 0.35))
    end = account.customer_periods[0][1]
    if end is not None and dice.chance(0.3):
        account.customer_periods.append(_customer_period(dice, end + dice.whole(45, 240) * DAY, 0.25))
    account.signs = signs(world, index, account.customer_periods)
    first = 0 if employees <= 60 else 1 if employees <= 600 else 2
    account.tiers.append((start, TIERS[first]))
    if first < 2 and dice.chance(0.4):
        account.tiers.append((start + dice.whole(5, 20) * 30 * DAY, TIERS[first + 1]))
    return account


def _customer_period(dice: Dice, start: int, leaves: float) -> Period:
    days = dice.whole(150, 1000)
    return (start, start + days * DAY if dice.chance(leaves) else None)


def account_name(index: int) -> str:
    """A company name. The names of the first few thousand indexes are unique."""
    heads, tails = names.ACCOUNT_HEADS, names.ACCOUNT_TAILS
    head, cycle = heads[index % len(heads)], index // len(heads)
    name = f"{head} {tails[(index + cycle) % len(tails)]}"
    return name if cycle < len(tails) else f"{name} {cycle // len(tails) + 1}"


def _write(world: World, account: Account, parent: Account | None) -> None:
    dice = world.dice("account row", account.index)
    org = account.org
    region, country, city, currency = account.place
    owners = [user.id for user in org.users if user.role in ("csm", "sales_rep") and user.until is None]
    # Accounts older than the systems came from one bulk import, so many rows share an updated_at.
    born = max(account.created, EPOCH + 60 * (1 + account.index // 40))
    values = {
        "account_id": account.id,
        "organization_id": org.id,
        "name": account.name,
        "domain": None if dice.chance(0.1) else account.name.lower().replace(" ", "-") + ".example",
        "industry": dice.draw(_INDUSTRY),
        "employee_count": None if dice.chance(0.06) else account.employees,
        "annual_revenue": None if dice.chance(0.1) else account.employees * dice.whole(60, 260) * 100_000,
        "currency": currency,
        "account_type": "prospect",
        "status": "active",
        "region": region,
        "country": country,
        "city": city,
        "owner_user_id": None if dice.chance(0.03) else dice.pick(owners),
        "created_at": account.created,
    }
    changes: list[tuple[int, dict[str, Any]]] = []
    if parent is not None:
        changes.append((max(born, parent.created) + DAY, {"parent_account_id": parent.id}))
    if dice.chance(0.15):
        changes.append((born + dice.whole(60, 700) * DAY, {"owner_user_id": dice.pick(owners)}))
    for number, (start, end) in enumerate(account.customer_periods):
        signup = {"signup_date": clock.day_of(min(account.created, start)), "account_type": "customer"}
        changes.append((start, {"status": "active", **(signup if number == 0 else {})}))
        if end is not None:
            changes.append((end, {"status": "churned"}))
    changes += [(start, {"plan_tier": tier}) for start, tier in account.tiers if account.is_customer(start)]
    if not account.customer_periods and dice.chance(0.5):
        changes.append((born + dice.whole(150, 500) * DAY, {"status": "inactive"}))
    world.add("accounts", born, values, changes)
    _contacts(world, account, born)


def _contacts(world: World, account: Account, born: int) -> None:
    for number in range(world.dice("contacts", account.index).draw(_CONTACTS)):
        dice = world.dice("contact", account.index, number)
        when = born + 5 if number == 0 else born + dice.skewed(0, 500, 2) * DAY + dice.whole(0, 6) * HOUR
        contact = world.uuid("contact", account.index, number)
        account.contacts.append((when, contact))
        values = contact_values(account, contact, dice, when, primary=number == 0)
        world.add("contacts", when, values, _email_status_changes(dice, when))
    # Some contacts are deleted on request. No other row refers to them.
    dice = world.dice("forgotten", account.index)
    if dice.chance(0.2):
        when = born + dice.whole(10, 900) * DAY
        contact = world.uuid("forgotten contact", account.index)
        gone = when + dice.whole(20, 200) * DAY
        world.add("contacts", when, contact_values(account, contact, dice, when, primary=False), deleted=gone)


def contact_values(account: Account, contact: str, dice: Dice, when: int, primary: bool) -> dict[str, Any]:
    """The columns of a new contact of an account."""
    first, last = dice.pick(names.FIRST_NAMES), dice.pick(names.LAST_NAMES)
    local = f"{first}.{last}".lower().replace("'", "")
    domain = account.name.lower().replace(" ", "-") + ".example"
    return {
        "contact_id": contact,
        "organization_id": account.org.id,
        "account_id": account.id,
        "first_name": first,
        "last_name": last,
        "email": None if dice.chance(0.06) else f"{local}@{domain}",
        "phone": None if dice.chance(0.3) else f"+44 20 7946 {dice.whole(0, 9999):04d}",
        "title": None if dice.chance(0.08) else dice.draw(_TITLE),
        "is_primary": primary,
        "status": "active",
        "gender": dice.draw(_GENDER),
        "income_segment": dice.draw(_INCOME),
        "created_at": when,
    }


def case_account(world: World, org: Org, slot: int, name: str, created: int, **columns: Any) -> Account:
    """Write an edge-case account with one contact. It is not in the pool of random accounts.

    `columns` overrides the default columns. The key `changes` in it holds the later changes of the account.
    """
    index = 1_000_000 + slot
    place = (org.home.region, org.home.country, org.home.cities[0][0], org.home.currency)
    account = Account(index, world.uuid("account", index), org, name, created, org.facilities[0], place, employees=80)
    changes = columns.pop("changes", [])
    values = {
        "account_id": account.id,
        "organization_id": org.id,
        "name": name,
        "domain": f"case-{slot}.example",
        "industry": "Retail",
        "employee_count": 80,
        "annual_revenue": 900_000_000,
        "currency": account.currency,
        "account_type": "customer",
        "status": "active",
        "plan_tier": "growth",
        "region": place[0],
        "country": place[1],
        "city": place[2],
        "owner_user_id": org.staff("csm", created)[0].id,
        "signup_date": clock.day_of(created),
        "created_at": created,
        **columns,
    }
    world.add("accounts", created, values, changes)
    contact = world.uuid("contact", index, 0)
    account.contacts.append((created, contact))
    dice = world.dice("contact", index, 0)
    world.add("contacts", created, contact_values(account, contact, dice, created, primary=True))
    return account


def _email_status_changes(dice: Dice, when: int) -> list[tuple[int, dict[str, Any]]]:
    share = dice.random()
    if share > 0.12:
        return []
    return [(when + dice.whole(30, 900) * DAY, {"status": "unsubscribed" if share < 0.08 else "bounced"})]
