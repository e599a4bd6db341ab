"""BigQuery: the client factory, the identity that it uses, and the statements that it sends."""

from include.warehouse.client import client, copy_config, with_defaults
from include.warehouse.identity import credentials, identity
from include.warehouse.statements import Parameters, Row, execute, rows

__all__ = [
    "Parameters",
    "Row",
    "client",
    "copy_config",
    "credentials",
    "execute",
    "identity",
    "rows",
    "with_defaults",
]
