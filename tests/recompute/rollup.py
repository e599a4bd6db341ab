"""The roll-up of accounts: merged accounts to their target, children to the topmost parent."""

from __future__ import annotations

from dataclasses import dataclass

from tests.recompute.world import Row, World


@dataclass(frozen=True)
class RollUp:
    """Where an account's figures belong.

    Attributes:
        top_account_id: the account at the end of the walk.
        issue: why its own next step cannot be taken (cycle, missing_target, other_organization), or None.
    """

    top_account_id: str
    issue: str | None


def _next(account: Row, accounts: dict[str, Row]) -> tuple[Row | None, str | None]:
    """The account that follows, or what is wrong with the step; neither at a top."""
    target = account["merged_into_account_id"] or account["parent_account_id"]
    if target is None:
        return None, None
    if target not in accounts:
        return None, "missing_target"
    if accounts[target]["organization_id"] != account["organization_id"]:
        return None, "other_organization"
    return accounts[target], None


def _is_on_cycle(account: Row, accounts: dict[str, Row]) -> bool:
    seen: set[str] = set()
    here: Row | None = account
    while here is not None and here["account_id"] not in seen:
        seen.add(here["account_id"])
        here, _ = _next(here, accounts)
    return here is not None and here["account_id"] == account["account_id"]


def roll_up(account: Row, accounts: dict[str, Row]) -> RollUp:
    """Follows merged_into_account_id, else parent_account_id, step by step to the top.

    The walk stops where the next step is missing or in another organization, and at the first account on a
    cycle.
    """
    here, issue = account, "cycle" if _is_on_cycle(account, accounts) else _next(account, accounts)[1]
    while not _is_on_cycle(here, accounts):
        following, _ = _next(here, accounts)
        if following is None:
            break
        here = following
    return RollUp(here["account_id"], issue)


def roll_ups(world: World) -> dict[str, RollUp]:
    """The roll-up of every account, by account_id."""
    accounts = world.by_key("accounts")
    return {identity: roll_up(account, accounts) for identity, account in accounts.items()}
