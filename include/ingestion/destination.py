# ruff: noqa: TID253 - this module is imported only when a load runs.
"""The warehouse as a dlt destination. Its jobs carry the same identity, labels and byte cap as all jobs of the platform."""

from __future__ import annotations

from typing import Any

from dlt.common.configuration.specs import GcpServiceAccountCredentials
from dlt.common.configuration.specs.gcp_credentials import GcpDefaultCredentials
from dlt.destinations import bigquery
from dlt.destinations.impl.bigquery.bigquery import BigQueryClient
from dlt.destinations.impl.bigquery.sql_client import BigQuerySqlClient
from google.cloud.bigquery import Client

from include.settings import settings
from include.warehouse import credentials, with_defaults


class _SqlClient(BigQuerySqlClient):  # type: ignore[misc]
    def open_connection(self) -> Client:
        """Open dlt's BigQuery client and set the job defaults, for which dlt has no option."""
        return with_defaults(super().open_connection(), source=self.dataset_name.removeprefix("raw_"))


class _JobClient(BigQueryClient):  # type: ignore[misc]
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # dlt creates its SQL client itself and has no option for its class.
        self.sql_client.__class__ = _SqlClient


class _Destination(bigquery):  # type: ignore[misc]
    @property
    def destination_type(self) -> str:
        """The name that dlt stores with a pipeline's state in the warehouse."""
        return "dlt.destinations.bigquery"

    @property
    def client_class(self) -> type[BigQueryClient]:
        return _JobClient


def warehouse_destination() -> _Destination:
    """Create the destination for a pipeline, with the credentials of this process."""
    return _Destination(
        credentials=_credentials(),
        project_id=settings().project,
        location=settings().location,
        destination_name="bigquery",
    )


def _credentials() -> GcpServiceAccountCredentials | None:
    """The credentials as a dlt object. None: application default credentials."""
    found = credentials()
    if found is None:
        return None
    wrapped = GcpServiceAccountCredentials()
    GcpDefaultCredentials.parse_native_representation(wrapped, found)
    wrapped.project_id = settings().project
    return wrapped
