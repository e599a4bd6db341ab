"""The BigQuery client factory, and the embedded warehouse that stands in for BigQuery on a laptop."""

from include.warehouse.client import client, copy_config, with_defaults
from include.warehouse.embedded import EmbeddedWarehouse, WarehouseError, environment
from include.warehouse.identity import credentials, identity
from include.warehouse.statements import execute

__all__ = [
    "EmbeddedWarehouse",
    "WarehouseError",
    "client",
    "copy_config",
    "credentials",
    "environment",
    "execute",
    "identity",
    "with_defaults",
]
