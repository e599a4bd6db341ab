"""fct_deals and fct_deal_stage_history: one row per deal, and one per stage interval of a deal."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from fractions import Fraction

from tests.recompute.known_sums import both
from tests.recompute.seeds import known_as
from tests.recompute.sources import Row, SourceData, model
from tests.recompute.stage_intervals import STAGE_ORDER, stage_intervals
from tests.recompute.tenants import Tenants, days

WON, LOST, UNKNOWN = "closed_won", "closed_lost", "unknown"


def stage_of(text: str | None) -> str:
    """The stage that a word of the CRM means; `unknown` if no stage or synonym is written so."""
    word = known_as(text, "deal_stage_synonyms")
    return word if word in STAGE_ORDER else UNKNOWN


@model
def fct_deal_stage_history(sources: SourceData) -> list[Row]:
    """The rows of fct_deal_stage_history, by deal_id and interval_number. The history of an unknown deal is left out."""
    changes: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for change in sources["deal_stage_history"]:
        if change["changed_at"] < sources.as_of:
            changes[change["organization_id"], change["deal_id"]].append(change)
    rows: list[Row] = []
    for deal in sources["deals"]:
        history = changes[deal["organization_id"], deal["deal_id"]]
        for number, interval in enumerate(stage_intervals(deal, history), start=1):
            # Without history, amount and probability come from the deal. They are NULL in the interval before the first change.
            source = interval.change or (deal if not history else {})
            length = (interval.valid_to or sources.as_of) - interval.valid_from
            rows.append(
                {
                    "organization_id": deal["organization_id"],
                    "deal_id": deal["deal_id"],
                    "interval_number": number,
                    "stage": interval.stage,
                    "previous_stage": interval.previous,
                    "movement": interval.movement,
                    "valid_from": interval.valid_from,
                    "valid_to": interval.valid_to,
                    "is_current": interval.valid_to is None,
                    "is_instant": interval.is_instant,
                    "days_in_stage": Fraction(length // timedelta(microseconds=1), 86_400_000_000),
                    "amount": source.get("amount"),
                    "probability_pct": source.get("probability_pct"),
                    "changed_by_user_id": (interval.change or {}).get("changed_by_user_id"),
                    "history_id": (interval.change or {}).get("history_id"),
                    "is_stage_mismatch": interval.valid_to is None
                    and None not in (interval.word, deal["stage"])
                    and interval.word != known_as(deal["stage"], "deal_stage_synonyms"),
                }
            )
    return rows


def weighted(deal: Row, amount: Fraction | None) -> Fraction | None:
    """The weighted amount of a deal: 0 if lost, its amount if won, amount × probability if open. None if an input is unknown."""
    stage = stage_of(deal["stage"])
    if stage == LOST:
        return Fraction(0)
    if stage == UNKNOWN:
        return None
    if stage == WON or amount is None:
        return amount
    return None if deal["probability_pct"] is None else amount * Fraction(deal["probability_pct"]) / 100


@model
def fct_deals(sources: SourceData) -> list[Row]:
    """The rows of fct_deals, by deal_id."""
    tenants = Tenants(sources)
    changes, with_history = Counter[tuple[str, str]](), set()
    reached: dict[tuple[str, str], Row] = {}
    for interval in fct_deal_stage_history(sources):
        if interval["is_current"] and interval["history_id"] is not None:
            reached[interval["organization_id"], interval["deal_id"]] = interval
        changes[interval["organization_id"], interval["deal_id"]] += interval["interval_number"] > 1
        if interval["history_id"] is not None:
            with_history.add(interval["organization_id"])
    with_times = {deal["organization_id"] for deal in sources["deals"] if deal["closed_at"] is not None}
    rows: list[Row] = []
    for deal in sources["deals"]:
        tenant, stage = deal["organization_id"], stage_of(deal["stage"])
        last = reached.get((tenant, deal["deal_id"]))
        is_closed, is_open = stage in {WON, LOST}, stage not in {WON, LOST, UNKNOWN}
        # An organization without any closing time may have stage changes that say it.
        known_at = deal["closed_at"] if tenant in with_times else last["valid_from"] if last and last["stage"] == stage else None
        closed_at = tenants.seen(known_at) if is_closed else None
        day = (closed_at or deal["created_at"]).date()
        converted = tenants.convert(deal["amount"], deal["currency"], tenant, day)
        is_due = None if deal["expected_close_date"] is None else deal["expected_close_date"] < sources.as_of.date()
        is_known = stage != UNKNOWN
        rows.append(
            {
                **deal,
                "account_key": tenants.key("accounts", tenant, deal["account_id"]),
                "contact_key": tenants.key("contacts", tenant, deal["contact_id"]),
                "lead_key": tenants.key("leads", tenant, deal["lead_id"]),
                **tenants.facility(tenant, deal["facility_id"]),
                **tenants.user(tenant, deal["owner_user_id"], "owner_user"),
                "closed_at": closed_at,
                "deal_name": deal["name"],
                "stage": stage,
                "is_open": is_open if is_known else None,
                "is_closed": is_closed if is_known else None,
                "is_won": stage == WON if is_known else None,
                "is_lost": stage == LOST if is_known else None,
                "is_overdue": both(is_open if is_known else None, is_due),
                "reporting_currency": tenants.reporting_currency(tenant),
                "amount_reporting": converted,
                "has_rate": deal["amount"] is None or converted is not None,
                "weighted_amount": weighted(deal, converted),
                "created_date": deal["created_at"].date(),
                "closed_date": closed_at.date() if closed_at else None,
                "days_in_pipeline": days(deal["created_at"], sources.as_of if is_open else closed_at),
                "sales_cycle_days": days(deal["created_at"], closed_at),
                "stage_changes": changes.get((tenant, deal["deal_id"])) if tenant in with_history else None,
            }
        )
    return rows
