"""The one place where a BigQuery client is made, and what every job of the platform carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.settings import settings
from include.warehouse.identity import credentials

if TYPE_CHECKING:
    from google.cloud.bigquery import Client, CopyJobConfig


def client(**labels: str) -> Client:
    """A BigQuery client for the configured project, location and identity.

    Every query and load job of it carries the labels `platform`, `environment` and those given; every query is capped at
    `BIGQUERY_MAXIMUM_BYTES_BILLED` when that is set.
    """
    from google.cloud import bigquery

    config = settings()
    return with_defaults(bigquery.Client(project=config.project, location=config.location, credentials=credentials()), **labels)


def with_defaults(bq: Client, **labels: str) -> Client:
    """The client, its jobs labelled and capped; for clients that a library has made."""
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
    """The labels for a copy job, of which a client knows no defaults."""
    from google.cloud import bigquery

    return bigquery.CopyJobConfig(labels=job_labels(**labels))


def job_labels(**labels: str) -> dict[str, str]:
    """The labels of every job, and those given."""
    return {"platform": "customer-intelligence", "environment": settings().environment_label, **labels}
