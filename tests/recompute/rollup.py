"""The roll-up of accounts: a merged account to its target, a child to its topmost parent."""

from __future__ import annotations

from dataclasses import dataclass

from tests.recompute.sources import Row, SourceData


@dataclass(frozen=True)
class RollUp:
    """The top account under which an account's figures are counted.

    Attributes:
        top_account_id: the account at the top.
        issue: why the account cannot roll up to its own target (cycle, missing_target, other_organization), or None.
    """

    top_account_id: str
    issue: str | None


#: Organization and id → account.
Accounts = dict[tuple[str, str], Row]


def _next(account: Row, accounts: Accounts) -> tuple[Row | None, str | None]:
    """The next account in the roll-up, or the issue with that step. Both are None at a top account."""
    target = account["merged_into_account_id"] or account["parent_account_id"]
    if target is None:
        return None, None
    found = accounts.get((account["organization_id"], target))
    if found is not None:
        return found, None
    return None, "other_organization" if any(target == identity for _, identity in accounts) else "missing_target"


def _is_on_cycle(account: Row, accounts: Accounts) -> bool:
    seen: set[str] = set()
    here: Row | None = account
    while here is not None and here["account_id"] not in seen:
        seen.add(here["account_id"])
        here, _ = _next(here, accounts)
    return here is not None and here["account_id"] == account["account_id"]


def roll_up(account: Row, accounts: Accounts) -> RollUp:
    """Follows merged_into_account_id, or else parent_account_id, up to the top account.

    The walk stops at an account whose target is missing or in another organization. It also stops at the first
    account on a cycle.
    """
    here, issue = account, "cycle" if _is_on_cycle(account, accounts) else _next(account, accounts)[1]
    while not _is_on_cycle(here, accounts):
        following, _ = _next(here, accounts)
        if following is None:
            break
        here = following
    return RollUp(here["account_id"], issue)


def roll_ups(sources: SourceData) -> dict[tuple[str, str], RollUp]:
    """The roll-up of every account, by organization and account_id."""
    given = sources.models.get("int_accounts__roll_up")
    if given is not None:
        return {(row["organization_id"], row["account_id"]): RollUp(row["top_account_id"], row["roll_up_issue"]) for row in given}
    accounts = sources.by_tenant("accounts")
    return {identity: roll_up(account, accounts) for identity, account in accounts.items()}
