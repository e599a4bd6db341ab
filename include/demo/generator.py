"""Generates the demo company: calls its parts in order, and converts the rows to Arrow tables."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from include.demo import (
    accounts,
    billing,
    cases_billing,
    cases_daily,
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
"""The smallest scale. Below it the company has too few rows."""


def generate(scale: float, seed: int, as_of: datetime) -> Company:
    """The demo company in its source systems at an as-of time. The same arguments always give the same data.

    Args:
        scale: the size, at least 0.02. Scale 1 has 10,000 orders, 15,000 tickets and so on, as the source contract says.
        seed: any integer. Another seed gives another company with other keys.
        as_of: timezone-aware. Only data known before it is included.

    Raises:
        ValueError: the scale is too small, or the as-of time lies before the company's history.
    """
    if not scale >= SMALLEST:
        raise ValueError(f"The scale must be at least {SMALLEST}, not {scale}.")
    world = World(seed, float(scale), check_as_of(as_of))
    orgs = people.organizations(world)
    people.compliance_checks(world, orgs)
    pool = accounts.accounts(world, orgs)
    billing.subscriptions(world, pool)
    orders.orders(world, pool)
    sales.sales(world, orgs, pool)
    desks = support.desks(world, orgs)
    support.tickets(world, pool, desks)
    support.nps_surveys(world, pool)
    reference.reference(world, orgs)
    cases_billing.billing_cases(world, orgs)
    cases_sales.sales_cases(world, orgs)
    cases_support.support_cases(world, orgs, pool, desks)
    cases_daily.daily_cases(world, pool)
    events = usage.usage(world, pool)
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
    """Values of the generator (seconds, cents, dates), converted to the Arrow type of the column."""
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
