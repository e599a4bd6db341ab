"""The BigQuery client factory, and the embedded warehouse that stands in for BigQuery on a laptop."""

from include.warehouse.client import client
from include.warehouse.embedded import EmbeddedWarehouse, WarehouseError, environment

__all__ = ["EmbeddedWarehouse", "WarehouseError", "client", "environment"]
