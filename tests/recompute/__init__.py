"""The models of the slice, recomputed in plain Python, sharing nothing with dbt but the contracts.

`recompute.<model>(folder, as_of)` reads the CSV truth in `folder` and gives the rows of a model: dicts with
the columns of its contract. Numbers are exact (Decimal, int, Fraction), timestamps aware UTC datetimes; a
surrogate key column holds what it stands for, the parts of the natural key joined by `|`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tests.recompute import accounts, compliance, dates, deals, orders, revenue, tickets
from tests.recompute.compare import CENT, EXACT, compare
from tests.recompute.world import Row, World

Recomputation = Callable[[Path, datetime], list[Row]]


def _over_folder(model: Callable[[World], list[Row]]) -> Recomputation:
    def rows(folder: Path, as_of: datetime) -> list[Row]:
        return model(World.read(folder, as_of))

    rows.__name__, rows.__doc__ = model.__name__, model.__doc__
    return rows


dim_accounts = _over_folder(accounts.dim_accounts)
dim_date = _over_folder(dates.dim_date)
dim_facilities = _over_folder(dates.dim_facilities)
dim_organizations = _over_folder(dates.dim_organizations)
fct_deal_stage_history = _over_folder(deals.fct_deal_stage_history)
fct_orders = _over_folder(orders.fct_orders)
fct_tickets = _over_folder(tickets.fct_tickets)
mart_ticket_sla_compliance = _over_folder(compliance.mart_ticket_sla_compliance)
mtr_revenue_by_month = _over_folder(revenue.mtr_revenue_by_month)

__all__ = [
    "CENT",
    "EXACT",
    "compare",
    "dim_accounts",
    "dim_date",
    "dim_facilities",
    "dim_organizations",
    "fct_deal_stage_history",
    "fct_orders",
    "fct_tickets",
    "mart_ticket_sla_compliance",
    "mtr_revenue_by_month",
]
