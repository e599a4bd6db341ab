"""Generates the demo company: the order in which its parts are made, and the rows as Arrow tables."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from include.demo import (
    accounts,
    billing,
    cases_billing,
    cases_nights,
    cases_sales,
    cases_support,
    orders,
    people,
    reference,
    sales,
    support,
    usage,
)
from include.demo.clock import check_as_of
from include.demo.company import Company
from include.demo.schema import TABLES, Column, Table
from include.demo.world import World

if TYPE_CHECKING:
    import pyarrow as pa

SMALLEST = 0.02
"""Below this scale there are too few rows for the company to make sense."""


def generate(scale: float, seed: int, as_of: datetime) -> Company:
    """The demo company as its systems hold it at an instant: always the same for the same arguments.

    Args:
        scale: 1 is the size of the source contract (10,000 orders, 15,000 tickets …); at least 0.02.
        seed: any whole number; another seed is another company with other keys.
        as_of: timezone-aware; only what was known before it is there.

    Raises:
        ValueError: a scale that is too small, or an as-of before the company has a history.
    """
    if not scale >= SMALLEST:
        raise ValueError(f"The scale must be at least {SMALLEST}, not {scale}.")
    world = World(seed, float(scale), check_as_of(as_of))
    orgs = people.organizations(world)
    people.compliance_checks(world, orgs)
    book = accounts.accounts(world, orgs)
    billing.subscriptions(world, book)
    orders.orders(world, book)
    sales.sales(world, orgs, book)
    desks = support.desks(world, orgs)
    support.tickets(world, book, desks)
    support.nps_surveys(world, book)
    reference.reference(world, orgs)
    cases_billing.billing_cases(world, orgs)
    cases_sales.sales_cases(world, orgs)
    cases_support.support_cases(world, orgs, book, desks)
    cases_nights.night_cases(world, book)
    events = usage.usage(world, book)
    tables = {name: _arrow(table, world.rows[name]) for name, table in TABLES.items() if name != "usage_events"}
    tables["usage_events"] = events.table.select([column.name for column in TABLES["usage_events"].columns])
    return Company(
        tables={name: tables[name] for name in TABLES},
        as_of=as_of,
        delivered_on=events.delivered_on,
        delivered_again=events.delivered_again,
        sent_twice=world.sent_twice,
        cases=world.cases,
    )


def _arrow(table: Table, rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    return pa.table({column.name: _column(column, [row.get(column.name) for row in rows]) for column in table.columns})


def _column(column: Column, values: list[Any]) -> pa.Array:
    """Values as the generator holds them (seconds, cents, dates) in the column's Arrow type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from include.demo.arrow import arrow_type

    if column.type == "timestamp":
        return pc.multiply(pa.array(values, pa.int64()), 1_000_000).cast(pa.timestamp("us", "UTC"))
    if column.type == "decimal":
        unit = Decimal("0.00000001" if column.name == "rate_to_usd" else "0.01")
        whole = pa.array(values, pa.int64()).cast(pa.decimal128(19, 0))
        return pc.multiply(whole, pa.scalar(unit)).cast(arrow_type("decimal"))
    return pa.array(values, arrow_type(column.type))
