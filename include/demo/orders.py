"""Orders and their lines: imported orders of 2019 to 2022, and current orders since October 2023."""

from __future__ import annotations

from typing import Any

from include.demo import clock
from include.demo.accounts import Account, AccountPool
from include.demo.clock import DAY, EPOCH, HOUR
from include.demo.dice import Dice, Weighted
from include.demo.people import Product
from include.demo.world import World

IMPORTED = {2019: 1000, 2020: 2290, 2021: 1490, 2022: 60}
"""Imported orders by year at scale 1. The old shop closed on 4 February 2022."""

RECENT = 10_000 - sum(IMPORTED.values())
"""The number of orders in the first 36 months at scale 1."""

_LINES = Weighted({1: 40, 2: 30, 3: 20, 4: 10})
_FATE = Weighted({"delivered": 90, "cancelled": 5, "refunded": 5})


def orders(world: World, pool: AccountPool) -> None:
    """Write all orders and their lines."""
    for year, total in IMPORTED.items():
        old = pool.before(clock.at(year, 1, 1))
        weights = pool.weighted(old)
        dice = world.dice("orders", year)
        days = 35 if year == 2022 else 365
        for number in range(round(total * world.scale)):
            placed = clock.at(year, 1, 1) + dice.whole(0, days - 1) * DAY + dice.whole(8 * HOUR, 20 * HOUR)
            _order(world, old[dice.draw(weights)], placed, f"{year}/{number}", f"{year}-{number + 1:05d}", imported=True)
    for month in world.months():
        dice = world.dice("orders of month", month)
        first = clock.month_start(month)
        days = (clock.month_start(month + 1) - first) // DAY
        buyers = pool.before(first)
        weights = pool.weighted(buyers)
        year = clock.day_of(first).year
        for number in range(world.budget(RECENT * world.scale, month, growth=0.6)):
            placed = first + dice.whole(0, days - 1) * DAY + dice.whole(7 * HOUR, 22 * HOUR)
            account = buyers[dice.draw(weights)]
            label = f"{year}-{clock.day_of(first).month:02d}{number + 1:04d}"
            _order(world, account, placed, f"{month}/{number}", label, imported=False)


def _order(world: World, account: Account, placed: int, name: str, label: str, imported: bool) -> None:
    dice = world.dice("order", name)
    items = [order_item(dice, dice.pick(account.org.goods), account.currency) for _ in range(dice.draw(_LINES))]
    fate = dice.draw(_FATE)
    steps = order_changes(dice, placed, fate)
    values = order_values(world, account, name, label, placed, items, account.contact(dice, placed), dice)
    if imported:
        # Orders of the old shop came from one import, in their final state. The import had ten batches, one per minute.
        for _, columns in steps:
            values.update(columns)
        born, steps = EPOCH + HOUR + dice.whole(0, 9) * 60, []
    else:
        born = placed
    write_order(world, values, items, born, steps)


def order_item(dice: Dice, product: Product, currency: str) -> dict[str, Any]:
    """One line of an order: product, quantity, price and discount."""
    quantity = 1 + dice.skewed(0, 3, 3)
    price = product.price_in(currency)
    discount = price * quantity // 10 if dice.chance(0.15) else 0
    return {
        "product_id": product.id,
        "quantity": quantity,
        "unit_price": price,
        "discount_amount": discount,
        "line_amount": price * quantity - discount,
    }


def order_values(
    world: World,
    account: Account,
    name: str,
    label: str,
    placed: int,
    items: list[dict[str, Any]],
    contact: str | None,
    dice: Dice,
) -> dict[str, Any]:
    """The columns of a new order. The total is the sum of its lines, minus the discount, plus tax and shipping."""
    subtotal = sum(item["line_amount"] for item in items)
    discount = subtotal * 5 // 100 if dice.chance(0.1) else 0
    tax = ((subtotal - discount) * account.org.home.tax_pct + 50) // 100
    shipping = 0 if subtotal > 50_000 else 750
    return {
        "order_id": world.uuid("order", name),
        "organization_id": account.org.id,
        "account_id": account.id,
        "contact_id": contact,
        "order_number": f"{account.org.home.name[:2].upper()}-{label}",
        "status": "pending",
        "currency": account.currency,
        "subtotal_amount": subtotal,
        "discount_amount": discount,
        "tax_amount": tax,
        "shipping_amount": shipping,
        "total_amount": subtotal - discount + tax + shipping,
        "ordered_at": placed,
    }


def order_changes(dice: Dice, placed: int, fate: str) -> list[tuple[int, dict[str, Any]]]:
    """The later changes of an order. `fate` is delivered, cancelled or refunded (after delivery)."""
    confirmed = placed + dice.whole(1, 20) * HOUR
    if fate == "cancelled":
        return [(confirmed, {"status": "cancelled"})]
    shipped = confirmed + dice.whole(4, 96) * HOUR
    delivered = shipped + dice.whole(20, 120) * HOUR
    steps: list[tuple[int, dict[str, Any]]] = [
        (confirmed, {"status": "confirmed"}),
        (shipped, {"status": "shipped", "shipped_at": shipped}),
        (delivered, {"status": "delivered", "delivered_at": delivered}),
    ]
    if fate == "refunded":
        steps.append((delivered + dice.whole(1, 25) * DAY, {"status": "refunded"}))
    return steps


def write_order(
    world: World,
    values: dict[str, Any],
    items: list[dict[str, Any]],
    born: int,
    steps: list[tuple[int, dict[str, Any]]],
) -> None:
    """Write an order, first known at `born`, and its lines."""
    if not world.add("orders", born, values, steps):
        return
    for number, item in enumerate(items):
        line = {
            "order_item_id": world.uuid("order item", values["order_id"], number),
            "organization_id": values["organization_id"],
            "order_id": values["order_id"],
            **item,
        }
        world.add("order_items", born, line)
