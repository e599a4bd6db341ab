"""The input contract: the tables and columns that the platform understands, whichever systems they come from."""

from include.contract.loading import ContractError, contract
from include.contract.schema import KEY_TYPES, KNOWN_AHEAD, TENANT, ColumnType, ContractColumn, Entity

__all__ = ["KEY_TYPES", "KNOWN_AHEAD", "TENANT", "ColumnType", "ContractColumn", "ContractError", "Entity", "contract"]
