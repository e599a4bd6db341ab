"""The roll-up of accounts: merged accounts to their target, children to the topmost parent."""

from __future__ import annotations

from dataclasses import dataclass

from tests.recompute.world import Row, World


@dataclass(frozen=True)
class RollUp:
    """Where an account's figures belong, and why the walk ended early (cycle, missing, other_organization), if so."""

    account_id: str
    stopped_by: str | None


def roll_up(account: Row, accounts: dict[str, Row]) -> RollUp:
    """Follows merged_into_account_id, else parent_account_id, step by step to the top."""
    here = account
    seen = {here["account_id"]}
    while target := here["merged_into_account_id"] or here["parent_account_id"]:
        if target in seen:
            return RollUp(here["account_id"], "cycle")
        if target not in accounts:
            return RollUp(here["account_id"], "missing")
        if accounts[target]["organization_id"] != account["organization_id"]:
            return RollUp(here["account_id"], "other_organization")
        here = accounts[target]
        seen.add(target)
    return RollUp(here["account_id"], None)


def roll_ups(world: World) -> dict[str, RollUp]:
    """The roll-up of every account, by account_id."""
    accounts = world.by_key("accounts")
    return {identity: roll_up(account, accounts) for identity, account in accounts.items()}
