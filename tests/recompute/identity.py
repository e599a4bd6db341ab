"""dim_account_identity: accounts of several systems that are one customer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from tests.recompute.sources import Row, SourceData

# The settings of the project, repeated on purpose.
FIRST_SYSTEMS = ("crm",)
RULES = (
    ("external_id", Decimal("0.99"), False),
    ("domain", Decimal("0.9"), False),
    ("email_domain", Decimal("0.8"), False),
    ("name_and_country", Decimal("0.6"), True),
)

Account = tuple[str, str]
Values = Mapping[Account, set[tuple[str, str]]]


def rank(system: str) -> tuple[int, str]:
    """The rank of a system: the named ones first, then all others by name."""
    return FIRST_SYSTEMS.index(system) if system in FIRST_SYSTEMS else len(FIRST_SYSTEMS), system


def _fits(rule: str, own: set[tuple[str, str]], other: set[tuple[str, str]]) -> bool:
    def values(kind: str, of: set[tuple[str, str]]) -> set[str]:
        return {value for each, value in of if each == kind}

    match rule:
        case "external_id":
            return bool(
                values("external_id", own) & values("own_id", other) or values("own_id", own) & values("external_id", other)
            )
        case "email_domain":
            return bool(values("email_domain", own) & values("domain", other))
        case _:
            return bool(values(rule, own) & values(rule, other))


def decided(decisions: Iterable[Row]) -> dict[tuple[str, frozenset[str]], Row]:
    """The last decision on each pair of accounts. Each has organization_id, account_id, other_account_id, is_same, decided_by, decided_at."""
    last: dict[tuple[str, frozenset[str]], Row] = {}
    for row in sorted(decisions, key=lambda row: row["decided_at"]):
        last[row["organization_id"], frozenset((row["account_id"], row["other_account_id"]))] = row
    return last


def identities(accounts: Sequence[Row], values: Values, decisions: Iterable[Row]) -> list[Row]:
    """The rows of dim_account_identity.

    Args:
        accounts: organization_id, account_id, account_name, source_system and merged_into_account_id.
        values: organization and account → kind and value of what identifies it.
        decisions: as for `decided`.
    """
    last = decided(decisions)
    systems: dict[str, set[str]] = defaultdict(set)
    for account in accounts:
        systems[account["organization_id"]].add(account["source_system"])
    system_of = {(account["organization_id"], account["account_id"]): account["source_system"] for account in accounts}
    rows = []
    for account in accounts:
        tenant, system = account["organization_id"], account["source_system"]
        if account.get("merged_into_account_id") or rank(system) == min(map(rank, systems[tenant])):
            continue
        earlier = [identity for (of, identity), where in system_of.items() if of == tenant and rank(where) < rank(system)]
        rows.append(_judged(account, earlier, values, system_of, last))
    return rows


def _judged(
    account: Row,
    earlier: Sequence[str],
    values: Values,
    system_of: Mapping[Account, str],
    last: Mapping[tuple[str, frozenset[str]], Row],
) -> Row:
    tenant, own_id = account["organization_id"], account["account_id"]

    def decision(other: str) -> Row | None:
        return last.get((tenant, frozenset((own_id, other))))

    def says(other: str) -> bool | None:
        found = decision(other)
        return None if found is None else found["is_same"]

    declared = [other for other in earlier if says(other)]
    found: list[tuple[str, Decimal, bool, list[str]]] = [("declared", Decimal(1), False, declared)]
    for rule, confidence, only_suggests in RULES:
        fitting = [
            other
            for other in earlier
            if says(other) is not False and _fits(rule, values.get((tenant, own_id), set()), values.get((tenant, other), set()))
        ]
        found.append((rule, confidence, only_suggests, fitting))
    row: Row = {name: account[name] for name in ("organization_id", "account_id", "account_name", "source_system")}
    row |= dict.fromkeys(("rule", "confidence", "candidate_account_ids", "matched_account_id", "decided_by", "decided_at"))
    row |= {"identity_status": "unmatched", "candidate_count": 0}
    for rule, confidence, only_suggests, fitting in found:
        if not fitting:
            continue
        first = min(rank(system_of[tenant, other]) for other in fitting)
        candidates = sorted(other for other in fitting if rank(system_of[tenant, other]) == first)
        row |= {"rule": rule, "confidence": confidence, "candidate_count": len(candidates)}
        row["candidate_account_ids"] = ", ".join(candidates[:10])
        if len(candidates) > 1:
            row["identity_status"] = "ambiguous"
        elif only_suggests:
            row["identity_status"] = "suggested"
        else:
            row["identity_status"] = "declared" if rule == "declared" else "matched"
            row["matched_account_id"] = candidates[0]
        if row["identity_status"] == "declared":
            taken = decision(candidates[0]) or {}
            row |= {"decided_by": taken.get("decided_by"), "decided_at": taken.get("decided_at")}
        break
    return row


def of_one_system(sources: SourceData) -> list[Row]:
    """The rows of dim_account_identity and mart_account_identity of a company whose accounts are all in the CRM: there are none."""
    return identities(
        [account | {"source_system": "crm", "account_name": account["name"]} for account in sources["accounts"]], {}, ()
    )
