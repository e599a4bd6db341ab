"""Every environment variable that the platform reads, typed and validated once.

Connections (CRM, billing, support, landing folders) are Airflow connections and never appear here.
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
        None, alias="BIGQUERY_MAXIMUM_BYTES_BILLED", ge=1, description="Byte cap of any one query (unset: no cap)."
    )
    environment_label: str = Field(
        "local", alias="PLATFORM_ENVIRONMENT", pattern=r"^[a-z0-9_-]{1,63}$", description="Label on every BigQuery job."
    )
    state_dir: Path = Field(
        ROOT / ".local" / "state",
        alias="PLATFORM_STATE_DIR",
        description="Working folder of loads, validation results and data docs; losing it costs nothing but a rebuild.",
    )
    sources_dir: Path = Field(
        ROOT / "include" / "sources", alias="PLATFORM_SOURCES_DIR", description="The source files, one YAML per source."
    )
    dbt_dir: Path = Field(ROOT / "dbt", alias="PLATFORM_DBT_DIR", description="The dbt project.")
    gx_dir: Path = Field(ROOT / "great_expectations", alias="PLATFORM_GX_DIR", description="The Great Expectations context.")
    schedules: Literal["on", "off"] = Field(
        "on", alias="PLATFORM_SCHEDULES", description="off: DAGs have no clock of their own, only triggers and assets."
    )
    refreshes: Literal["on", "off"] = Field(
        "on", alias="PLATFORM_REFRESHES", description="off: the refresh DAGs have no clock, whatever PLATFORM_SCHEDULES says."
    )
    retry_delay_seconds: int = Field(
        60, alias="TASK_RETRY_DELAY_SECONDS", ge=1, description="First wait before a task is tried again; doubles each time."
    )
    snapshots_kept_days: int = Field(
        365, alias="SNAPSHOTS_KEPT_DAYS", ge=1, description="How long snapshots keep versions that are no longer current."
    )
    routing_file: Path = Field(
        ROOT / "include" / "alerts" / "routing.yml", alias="PLATFORM_ROUTING_FILE", description="Notification routing of alerts."
    )
    runbooks_url: str = Field(
        "",
        alias="RUNBOOKS_URL",
        pattern=r"^(https?://[^\s<>\"|]+)?$",
        description="Where docs/runbooks can be read; alerts link there (empty: they name the file).",
    )
    nightly_deadline_minutes: int = Field(
        120, alias="NIGHTLY_DEADLINE_MINUTES", ge=1, description="How long a run of `transform` may take before people are told."
    )
    dbt_threads: int = Field(4, alias="DBT_THREADS", ge=1, le=64, description="Models that dbt builds at once.")

    @property
    def manifest(self) -> Path:
        """What dbt writes of its project, and DAGs, promises and catalogue are made from."""
        return self.dbt_dir / "target" / "manifest.json"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings, read from the environment on first use.

    Raises:
        pydantic.ValidationError: naming the variable that is wrong.
    """
    return Settings()
