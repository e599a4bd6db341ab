"""The table of the decisions on accounts of two systems."""

from __future__ import annotations

from include.ops.definition import Column, OpsTable

IDENTITY_TABLES = (
    OpsTable(
        "ops",
        "account_decisions",
        "One row per decision that two accounts of different systems are one customer or two. The last decision on a pair counts. Rows are never deleted.",
        (
            Column("organization_id", "STRING", "Tenant of both accounts.", True),
            Column("account_id", "STRING", "Account of one system.", True),
            Column("other_account_id", "STRING", "Account of another system.", True),
            Column(
                "is_same", "BOOL", "TRUE: one customer. FALSE: two. NULL: the decision before is withdrawn, and the rules decide."
            ),
            Column("decided_by", "STRING", "Who decided.", True),
            Column("decided_at", "TIMESTAMP", "Wall clock of the decision.", True),
        ),
        "decided_at",
        ("organization_id", "account_id"),
    ),
)
