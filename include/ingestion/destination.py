# ruff: noqa: TID253 - imported only by landings.
"""The warehouse as dlt's destination: its jobs have the identity, the labels and the byte cap that all jobs of the platform have."""

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
        """dlt's own client of BigQuery, which lets nobody set what its jobs carry."""
        return with_defaults(super().open_connection(), source=self.dataset_name.removeprefix("raw_"))


class _JobClient(BigQueryClient):  # type: ignore[misc]
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # It makes its SQL client itself, of a class that cannot be chosen.
        self.sql_client.__class__ = _SqlClient


class _Destination(bigquery):  # type: ignore[misc]
    @property
    def destination_type(self) -> str:
        """What dlt keeps with a pipeline's state in the warehouse."""
        return "dlt.destinations.bigquery"

    @property
    def client_class(self) -> type[BigQueryClient]:
        return _JobClient


def warehouse_destination() -> _Destination:
    """The destination for a pipeline, with this process's identity."""
    return _Destination(
        credentials=_credentials(),
        project_id=settings().project,
        location=settings().location,
        destination_name="bigquery",
    )


def _credentials() -> GcpServiceAccountCredentials | None:
    """The identity in dlt's form, whatever its kind; None: application default credentials."""
    found = credentials()
    if found is None:
        return None
    wrapped = GcpServiceAccountCredentials()
    GcpDefaultCredentials.parse_native_representation(wrapped, found)
    wrapped.project_id = settings().project
    return wrapped
