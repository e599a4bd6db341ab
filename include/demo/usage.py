"""Product usage events and their delivery days. The events are generated month by month with numpy.

An event is in the file of its delivery day. This is mostly the day on which it happened, and for some events one to three
days later. The file of a day appears when the day has ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from include.demo import clock
from include.demo.accounts import Account, AccountPool
from include.demo.clock import DAY, EPOCH, HOUR
from include.demo.releases import RELEASES
from include.demo.world import World

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

EVENTS = (
    ("login", "core", 24),
    ("page_view", "core", 20),
    ("search", "core", 8),
    ("comment_added", "collaboration", 7),
    ("item_shared", "collaboration", 5),
    ("mention", "collaboration", 3),
    ("report_viewed", "reporting", 10),
    ("report_exported", "reporting", 4),
    ("dashboard_created", "reporting", 3),
    ("api_call", "integration", 7),
    ("sync_run", "integration", 4),
    ("user_invited", "administration", 3),
    ("setting_changed", "administration", 2),
)
_AUTOMATIC = next(number for number, (name, _, _) in enumerate(EVENTS) if name == "api_call")
_HOURS = (1, 1, 1, 1, 1, 2, 4, 7, 12, 14, 14, 13, 10, 12, 14, 13, 12, 9, 6, 4, 3, 3, 2, 1)
"""The relative usage in each local hour of a day."""

_PROPERTIES = [None] * 90 + [f'{{"surface": "{s}", "seconds": {n}}}' for n in range(3, 36) for s in ("web", "mobile", "desktop")]


@dataclass
class Event:
    """An edge-case event. `visible` is the time from which its file contains it. `again` is the day of a second delivery."""

    name: str
    account: Account
    occurred: int
    delivered: date
    visible: int
    again: date | None = None


@dataclass
class Usage:
    """The visible events with the schema's columns, sorted by delivery day, and their deliveries."""

    table: pa.Table
    delivered_on: list[date]
    delivered_again: list[tuple[int, date]]


def usage(world: World, pool: AccountPool) -> Usage:
    """All events whose files exist at the as-of time."""
    import pyarrow as pa
    import pyarrow.compute as pc

    total = max(150_000 * world.scale - 1.5 * 1096, 50_000 * world.scale)
    parts = [
        part
        for month in world.months()
        if (part := _month(world, pool, month, world.budget(total, month, growth=0.7))) is not None
    ]
    placed = _daily_cases(world, pool)
    parts.append(_case_table(world, [event for event in placed if event.visible <= world.now]))
    table = pa.concat_tables(parts)
    visible = pc.less_equal(pc.add(table["delivered"], 1), world.now // DAY)
    table = table.filter(visible).sort_by([("delivered", "ascending"), ("at", "ascending"), ("event_id", "ascending")])
    delivered = [date(1970, 1, 1) + timedelta(days=day) for day in table["delivered"].to_pylist()]
    known = [event for event in placed if event.visible <= world.now]
    repeated = [event for event in known if event.again is not None and clock.complete(event.again) <= world.now]
    position = {event_id: row for row, event_id in enumerate(table["event_id"].to_pylist())}
    again = [(position[_key(world, event)], event.again) for event in repeated if event.again is not None]
    _label(world, known, repeated)
    stamps = pc.multiply(table["at"], 1_000_000).cast(pa.timestamp("us", "UTC"))
    columns = {name: table[name] for name in table.column_names if name not in ("at", "delivered")}
    return Usage(pa.table({**columns, "occurred_at": stamps}), delivered, again)


def _month(world: World, pool: AccountPool, month: int, count: int) -> pa.Table | None:
    """`count` events of one month, distributed over customers and days by their relative usage."""
    import numpy as np
    import pyarrow as pa

    first = clock.month_start(month)
    days = (clock.month_start(month + 1) - first) // DAY
    customers = [account for account in pool.before(first + days * DAY) if account.customer_periods]
    cells = np.array([_activity(account, first, days) for account in customers])
    totals = np.cumsum(cells.ravel()) if customers else np.zeros(0)
    if not len(totals) or totals[-1] == 0 or not count:
        return None
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(int(world.digest("usage", month), 16))))
    share = generator.random((7, count))
    cell = np.searchsorted(totals, share[0] * totals[-1], side="right")
    who, day = np.divmod(cell, days)
    hours = np.cumsum(np.array(_HOURS, dtype=np.float64))
    offsets = np.array([account.org.home.utc_hours for account in customers])
    hour = np.searchsorted(hours, share[1] * hours[-1], side="right") - offsets[who]
    moment = first + day * DAY + np.clip(hour, 0, 23) * HOUR + (share[2] * HOUR).astype(np.int64)
    weights = np.cumsum(np.array([weight for _, _, weight in EVENTS], dtype=np.float64))
    what = np.searchsorted(weights, share[3] * weights[-1], side="right")
    users = np.array([_users(account) for account in customers])
    # A team that no longer logs in leaves its automatic calls running.
    silent = np.array([_silent(account, first, days) for account in customers])[who, day]
    what = np.where(silent, _AUTOMATIC, what)
    user = (share[4] * share[4] * users[who]).astype(np.int64)
    late = np.where(share[5] < 0.03, 1 + (share[5] * 100).astype(np.int64), 0)
    prefix = world.digest("events", month)[:10]
    return _table(
        world,
        customers,
        event_id=pa.array([f"evt_{prefix}{number:06x}" for number in range(count)]),
        who=who,
        user=user,
        what=what,
        moment=moment,
        late=late,
        detail=(share[6] * len(_PROPERTIES)).astype(np.int64),
    )


def _activity(account: Account, first: int, days: int) -> list[float]:
    """The relative usage of an account on each day of a month. It is 0 outside customer periods, and declines as the sign says."""
    result = []
    for day in range(days):
        noon = first + day * DAY + DAY // 2
        if not account.is_customer(noon):
            result.append(0.0)
            continue
        sign = account.sign("usage", noon)
        left = 1.0 if sign is None else max(0.03, 1.0 - 1.15 * sign.grown(noon))
        result.append(account.weight * left * (0.25 if clock.weekday(noon) >= 5 else 1.0))
    return result


def _silent(account: Account, first: int, days: int) -> list[bool]:
    """Whether nobody of an account uses the product by hand, on each day of a month."""
    return [account.sign("logins", first + day * DAY + DAY // 2) is not None for day in range(days)]


def _users(account: Account) -> int:
    return 2 + min(account.employees, 900) // 30


def _table(
    world: World,
    customers: list[Account],
    event_id: pa.Array,
    who: NDArray[np.int64],
    user: NDArray[np.int64],
    what: NDArray[np.int64],
    moment: NDArray[np.int64],
    late: NDArray[np.int64],
    detail: NDArray[np.int64],
) -> pa.Table:
    """Events as an Arrow table. `at` is the instant, `delivered` the delivery day in days since 1970."""
    import numpy as np
    import pyarrow as pa

    starts = np.cumsum([0, *(_users(account) for account in customers)])
    people = [world.key("pu", account.index, number) for account in customers for number in range(_users(account))]
    versions = np.searchsorted(np.array([instant for _, instant in RELEASES]), moment, side="right") - 1
    return pa.table(
        {
            "event_id": event_id,
            "organization_id": pa.array([account.org.id for account in customers]).take(pa.array(who)),
            "account_id": pa.array([account.id for account in customers]).take(pa.array(who)),
            "user_id": pa.array(people).take(pa.array(starts[who] + user)),
            "event_name": pa.array([name for name, _, _ in EVENTS]).take(pa.array(what)),
            "event_category": pa.array([category for _, category, _ in EVENTS]).take(pa.array(what)),
            "app_version": pa.array([version for version, _ in RELEASES]).take(pa.array(np.maximum(versions, 0))),
            "properties": pa.array(_PROPERTIES, pa.string()).take(pa.array(detail)),
            "at": pa.array(moment.astype(np.int64)),
            "delivered": pa.array((moment // DAY + late).astype(np.int64)),
        }
    )


def _daily_cases(world: World, pool: AccountPool) -> list[Event]:
    """The edge-case events of every day: one late event. Some are delivered twice, and some are missing in the first delivery."""
    result = []
    for number in range(3, (world.now - EPOCH) // DAY):
        day = EPOCH + number * DAY
        dice = world.dice("nightly usage", number)
        customers = [account for account in pool.before(day - 3 * DAY) if account.is_customer(day - 2 * DAY)]
        if not customers:
            continue
        account = customers[dice.whole(0, len(customers) - 1)]
        delivered, follows = clock.day_of(day), clock.day_of(day + DAY)
        occurred = day - dice.whole(1, 2) * DAY + dice.whole(8, 20) * HOUR
        again = follows if number % 7 == 0 else None
        result.append(Event(f"late/{number}", account, occurred, delivered, day + DAY, again))
        if number % 3 == 0:
            occurred = day + dice.whole(8, 20) * HOUR
            result.append(Event(f"missing/{number}", account, occurred, delivered, day + 3 * DAY))
    return result


def _key(world: World, event: Event) -> str:
    return world.key("evt", event.name)


def _case_table(world: World, events: list[Event]) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    customers = list({event.account.index: event.account for event in events}.values())
    position = {account.index: number for number, account in enumerate(customers)}
    moment = np.array([event.occurred for event in events], dtype=np.int64)
    nothing = np.zeros(len(events), dtype=np.int64)
    delivered = np.array([(event.delivered - date(1970, 1, 1)).days for event in events], dtype=np.int64)
    return _table(
        world,
        customers,
        event_id=pa.array([_key(world, event) for event in events], pa.string()),
        who=np.array([position[event.account.index] for event in events], dtype=np.int64),
        user=nothing,
        what=nothing,
        moment=moment,
        late=delivered - moment // DAY,
        detail=nothing,
    )


def _label(world: World, known: list[Event], repeated: list[Event]) -> None:
    """Label the newest two events of each kind of delivery."""
    late = [event for event in known if event.name.startswith("late")]
    missing = [event for event in known if event.name.startswith("missing")]
    for event in late[-2:]:
        see = f"occurred {clock.iso(event.occurred)}, delivered with the file of {event.delivered}"
        world.case("late-arriving event", "usage_events", _key(world, event), see, 0)
    for event in repeated[-2:]:
        see = f"in the files of {event.delivered} and {event.again}; one event"
        world.case("duplicate delivery (files)", "usage_events", _key(world, event), see, 0, "landing")
    for event in missing[-2:]:
        see = f"missing when the file of {event.delivered} first came; added by its second delivery two days later"
        world.case("re-delivered file", "usage_events", _key(world, event), see, 0, "landing")
