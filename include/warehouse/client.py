"""The one place where a BigQuery client is made outside of Airflow's own hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.settings import settings

if TYPE_CHECKING:
    from google.cloud.bigquery import Client


def client(**labels: str) -> Client:
    """A BigQuery client for the configured project and location.

    Every query it runs carries the labels `platform`, `environment` and those given, and is capped at
    `BIGQUERY_MAXIMUM_BYTES_BILLED` when that is set.
    """
    from google.cloud import bigquery

    config = settings()
    defaults = bigquery.QueryJobConfig(
        labels={"platform": "customer-intelligence", "environment": config.environment_label, **labels}
    )
    if config.maximum_bytes_billed is not None:
        defaults.maximum_bytes_billed = config.maximum_bytes_billed
    return bigquery.Client(project=config.project, location=config.location, default_query_job_config=defaults)
