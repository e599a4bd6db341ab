"""fct_deal_stage_history: one row per deal and stay in a stage."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from fractions import Fraction

from tests.recompute.stays import stays
from tests.recompute.world import Row, World


def fct_deal_stage_history(world: World) -> list[Row]:
    """The rows of fct_deal_stage_history, by deal_id and stay_number; history of an unknown deal has none."""
    changes: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for change in world["deal_stage_history"]:
        if change["changed_at"] < world.as_of:
            changes[change["organization_id"], change["deal_id"]].append(change)
    rows: list[Row] = []
    for deal in world["deals"]:
        history = changes[deal["organization_id"], deal["deal_id"]]
        for number, stay in enumerate(stays(deal, history), start=1):
            # A deal without history shows what it holds itself; the stay before a first change shows nothing.
            source = stay.change or (deal if not history else {})
            length = (stay.valid_to or world.as_of) - stay.valid_from
            rows.append(
                {
                    "organization_id": deal["organization_id"],
                    "deal_id": deal["deal_id"],
                    "stay_number": number,
                    "stage": stay.stage,
                    "previous_stage": stay.previous,
                    "movement": stay.movement,
                    "valid_from": stay.valid_from,
                    "valid_to": stay.valid_to,
                    "is_current": stay.valid_to is None,
                    "is_instant": stay.is_instant,
                    "days_in_stage": Fraction(length // timedelta(microseconds=1), 86_400_000_000),
                    "amount": source.get("amount"),
                    "probability_pct": source.get("probability_pct"),
                    "changed_by_user_id": (stay.change or {}).get("changed_by_user_id"),
                    "history_id": (stay.change or {}).get("history_id"),
                    "is_stage_mismatch": stay.valid_to is None and stay.stage != deal["stage"],
                }
            )
    return rows
