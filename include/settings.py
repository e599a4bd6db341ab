"""All environment variables that the platform reads, with types and validation.

Connections to sources are Airflow connections and do not appear here.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """The platform's configuration. Each field's alias is the environment variable that sets it."""

    model_config = SettingsConfigDict(populate_by_name=True, extra="ignore")

    project: str = Field(
        "local",
        alias="GOOGLE_CLOUD_PROJECT",
        pattern=r"^[a-z][a-z0-9-]{3,28}[a-z0-9]$",
        description="Google Cloud project that holds the warehouse.",
    )
    location: str = Field("US", alias="BIGQUERY_LOCATION", description="BigQuery location of all datasets.")
    maximum_bytes_billed: int | None = Field(
        None, alias="BIGQUERY_MAXIMUM_BYTES_BILLED", ge=1, description="Maximum bytes billed per query (unset: no limit)."
    )
    environment_label: str = Field(
        "local", alias="PLATFORM_ENVIRONMENT", pattern=r"^[a-z0-9_-]{1,63}$", description="Label on every BigQuery job."
    )
    state_dir: Path = Field(
        ROOT / ".local" / "state",
        alias="PLATFORM_STATE_DIR",
        description="Working folder of loads, validation results and data docs. If it is lost, it is rebuilt.",
    )
    sources_dir: Path = Field(
        ROOT / "include" / "sources", alias="PLATFORM_SOURCES_DIR", description="The source files, one YAML per source."
    )
    dbt_dir: Path = Field(ROOT / "dbt", alias="PLATFORM_DBT_DIR", description="The dbt project.")
    gx_dir: Path = Field(
        ROOT / "great_expectations",
        alias="PLATFORM_GX_DIR",
        description="The gates, in `gates/`, and their Great Expectations context.",
    )
    schedules: Literal["on", "off"] = Field(
        "on", alias="PLATFORM_SCHEDULES", description="off: DAGs have no schedule. They start only by triggers and assets."
    )
    refreshes: Literal["on", "off"] = Field(
        "on",
        alias="PLATFORM_REFRESHES",
        description="off: the refresh DAGs have no schedule, whatever the value of PLATFORM_SCHEDULES.",
    )
    empty_tables: str = Field(
        "",
        alias="PLATFORM_EMPTY_TABLES",
        pattern=r"^[a-z0-9_,]*$",
        description="Raw tables that may be empty besides those with `may_be_empty` in their source's file, separated by commas.",
    )
    retry_delay_seconds: int = Field(
        60,
        alias="TASK_RETRY_DELAY_SECONDS",
        ge=1,
        description="Seconds before the first retry of a task. The wait doubles with each retry.",
    )
    snapshots_kept_days: int = Field(
        365, alias="SNAPSHOTS_KEPT_DAYS", ge=1, description="Days for which snapshots keep versions that are no longer current."
    )
    routing_file: Path = Field(
        ROOT / "include" / "alerts" / "routing.yml", alias="PLATFORM_ROUTING_FILE", description="Notification routing of alerts."
    )
    runbooks_url: str = Field(
        "",
        alias="RUNBOOKS_URL",
        pattern=r"^(https?://[^\s<>\"|]+)?$",
        description="URL of docs/runbooks. Alerts link to it (empty: alerts name the file).",
    )
    nightly_deadline_minutes: int = Field(
        120,
        alias="NIGHTLY_DEADLINE_MINUTES",
        ge=1,
        description="Minutes that a run of `transform` may take before an alert is sent.",
    )
    dbt_threads: int = Field(
        4, alias="DBT_THREADS", ge=1, le=64, description="Number of models that dbt builds at the same time."
    )

    @property
    def manifest(self) -> Path:
        """The dbt manifest. DAGs, freshness SLAs and the catalogue are generated from it."""
        return self.dbt_dir / "target" / "manifest.json"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read from the environment on first use.

    Raises:
        pydantic.ValidationError: a variable is invalid. The message names it.
    """
    return Settings()
