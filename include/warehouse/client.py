"""The factory of BigQuery clients, and the labels and byte cap that every job of the platform carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.settings import settings
from include.warehouse.identity import credentials

if TYPE_CHECKING:
    from google.cloud.bigquery import Client, CopyJobConfig


def client(**labels: str) -> Client:
    """A BigQuery client for the configured project, location and identity.

    Each of its query and load jobs carries the labels `platform`, `environment` and the given ones. Each query is capped at
    `BIGQUERY_MAXIMUM_BYTES_BILLED` if that is set.
    """
    from google.cloud import bigquery

    config = settings()
    return with_defaults(bigquery.Client(project=config.project, location=config.location, credentials=credentials()), **labels)


def with_defaults(bq: Client, **labels: str) -> Client:
    """Set labels and byte cap as the defaults of a client, for example one that a library has created."""
    from google.cloud import bigquery

    query = bq.default_query_job_config or bigquery.QueryJobConfig()
    query.labels = job_labels(**labels)
    cap = settings().maximum_bytes_billed
    if cap is not None:
        query.maximum_bytes_billed = cap
    bq.default_query_job_config = query
    bq.default_load_job_config = bigquery.LoadJobConfig(labels=job_labels(**labels))
    return bq


def copy_config(**labels: str) -> CopyJobConfig:
    """The labels of a copy job; a client has no default configuration for copy jobs."""
    from google.cloud import bigquery

    return bigquery.CopyJobConfig(labels=job_labels(**labels))


def job_labels(**labels: str) -> dict[str, str]:
    """The labels of every job, with the given ones."""
    return {"platform": "customer-intelligence", "environment": settings().environment_label, **labels}
