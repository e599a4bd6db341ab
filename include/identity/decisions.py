"""Records people's decisions that two accounts of different systems are one customer, or two."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from include.ops import append
from include.warehouse import Row, rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

#: Word of a decision → `is_same` of `ops.account_decisions`.
DECISIONS: dict[str, bool | None] = {"same": True, "different": False, "withdraw": None}

_ACCOUNTS = """
    select organization_id, account_id, account_name, source_system
    from conformed.conformed_accounts
    where account_id in (@account, @other) and (@organization is null or organization_id = @organization)
"""
_LAST = """
    select is_same, decided_by, decided_at
    from ops.account_decisions
    where
        organization_id = @organization
        and least(account_id, other_account_id) = least(@account, @other)
        and greatest(account_id, other_account_id) = greatest(@account, @other)
    order by decided_at desc
    limit 1
"""
_SAID = {True: "are one customer", False: "are two customers", None: "are matched by the rules alone"}


class IdentityError(ValueError):
    """A decision cannot be recorded; the message says why."""


def decide(
    decision: str,
    account: str,
    other: str,
    by: str,
    organization: str | None = None,
    now: datetime | None = None,
    client: Client | None = None,
) -> str:
    """Record a decision in `ops.account_decisions`. The next run applies it.

    A decision that the last one on the pair has already is not recorded again, so that a repetition changes nothing.

    Args:
        decision: a key of `DECISIONS`. `withdraw` leaves the pair to the rules again.
        account, other: account_id of two accounts of different systems, in any order.
        by: who decides.
        organization: their tenant; None if only one has both accounts.
        now: the instant of the decision.
        client: a BigQuery client; one is made if not given.

    Returns:
        A sentence that says what counts now.

    Raises:
        IdentityError: the accounts do not exist, or are of one system; or the decision or its author is missing.
    """
    if decision not in DECISIONS:
        raise IdentityError(f"A decision is {', '.join(DECISIONS)}; it is {decision!r}.")
    if not by.strip():
        raise IdentityError("Say who decides: BY=name of `make identity`, or the parameter `by` of the DAG.")
    tenant = _tenant(account, other, organization, client)
    pair = {"organization": tenant, "account": account, "other": other}
    is_same, said = DECISIONS[decision], f"{tenant}: {account} and {other} {_SAID[DECISIONS[decision]]}"
    last = next(iter(rows(_LAST, pair, client)), None)
    if (last["is_same"] if last else None) is is_same:
        since = f" since {last['decided_at']:%Y-%m-%d %H:%M} UTC, by {last['decided_by']}" if last else ""
        return f"{said} already{since}."
    key = {"organization_id": tenant, "account_id": account, "other_account_id": other, "decided_at": now or datetime.now(UTC)}
    append("ops.account_decisions", [key | {"is_same": is_same, "decided_by": by}], replace_where=key, client=client)
    return f"{said}, says {by}. The next run applies it."


def _tenant(account: str, other: str, organization: str | None, client: Client | None) -> str:
    """The organization of both accounts."""
    found: dict[str, dict[str, Row]] = {}
    for row in rows(_ACCOUNTS, {"account": account, "other": other, "organization": organization}, client):
        found.setdefault(row["organization_id"], {})[row["account_id"]] = row
    both = {tenant: accounts for tenant, accounts in found.items() if len(accounts) == 2}
    if not both:
        known = {identity for accounts in found.values() for identity in accounts}
        missing = [identity for identity in (account, other) if identity not in known] or ["one organization with both accounts"]
        raise IdentityError(f"There is no {' and no '.join(missing)} in conformed.conformed_accounts.")
    if len(both) > 1:
        raise IdentityError(f"Several organizations have both accounts: {', '.join(sorted(both))}. Name one: ORG=id.")
    ((tenant, accounts),) = both.items()
    systems = {row["source_system"] for row in accounts.values()}
    if len(systems) == 1:
        raise IdentityError(
            f"{account} and {other} are both of {systems.pop()}. Merge accounts of one system there (merged_into_account_id)."
        )
    return tenant
