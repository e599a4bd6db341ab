"""The local warehouse: a server that speaks BigQuery's protocol, for development and tests. Production does not use it."""

from include.local.warehouse.embedded import EmbeddedWarehouse, WarehouseError, environment

__all__ = ["EmbeddedWarehouse", "WarehouseError", "environment"]
