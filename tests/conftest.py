"""Shared by all tests: their own Airflow home, and no environment variable that points at another warehouse."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

_HOME = Path(tempfile.mkdtemp(prefix="platform-tests-"))

# Airflow reads these variables when it is imported.
os.environ.update(
    {
        "AIRFLOW_HOME": str(_HOME / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).resolve().parent.parent / "dags"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PLATFORM_STATE_DIR": str(_HOME / "state"),
        "DO_NOT_TRACK": "1",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
)
for _name in (
    "PLATFORM_SCHEDULES",
    "PLATFORM_REFRESHES",
    "BIGQUERY_EMULATOR_HOST",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_PROJECT",
):
    os.environ.pop(_name, None)


@pytest.fixture(scope="session")
def manifest() -> Path:
    """dbt's manifest. It is written again if the dbt project has changed."""
    from include.manifest import ensure_manifest
    from include.settings import ROOT
    from include.transform import write_node_manifests

    ensure_manifest(print)
    write_node_manifests()
    return ROOT / "dbt" / "target" / "manifest.json"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the pipeline tests first: two processes share the test files, and the longest files must not start last."""
    items.sort(key=lambda item: "pipeline" not in item.path.parts)
