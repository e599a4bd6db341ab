"""The input contract: the tables and columns that the platform understands, whichever systems they come from.

A column is `required` only if a row says nothing without it:

- the key, and with it the tenant;
- the time of the row's last change (`updated_at`), by which versions follow each other;
- the time at which what the row reports happened or began, because it decides the month of every figure (`occurred_at`, `ordered_at` …);
- the row that it is about, where it has no other use: the order of a line, the deal of a stage change, the account of a subscription;
- the word or number that is its content: the stage that a deal changed to, the rate of a currency, the terms of a subscription.

Any other column may be empty, or absent from the source. The figures that need it are then unknown: NULL, not 0 (docs/metrics.md, "Unknown figure").
"""

from include.contract.loading import ContractError, contract
from include.contract.schema import KEY_TYPES, KNOWN_AHEAD, ROWS, TENANT, VERSION, ColumnType, ContractColumn, Entity

__all__ = [
    "KEY_TYPES",
    "KNOWN_AHEAD",
    "ROWS",
    "TENANT",
    "VERSION",
    "ColumnType",
    "ContractColumn",
    "ContractError",
    "Entity",
    "contract",
]
