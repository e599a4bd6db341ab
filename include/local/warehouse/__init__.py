"""The local warehouse: a server that speaks BigQuery's protocol, for development and tests. It is no part of production's image."""

from include.local.warehouse.embedded import EmbeddedWarehouse, WarehouseError, environment

__all__ = ["EmbeddedWarehouse", "WarehouseError", "environment"]
