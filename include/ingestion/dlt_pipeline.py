"""Configures dlt: one pipeline per source, with a working folder that may be lost at any time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from typing import TYPE_CHECKING

from include.settings import settings

if TYPE_CHECKING:
    import dlt

    from include.sources.schema import Source

#: Variables that dlt reads when it is imported. A value that is already set in the environment takes precedence.
_ENVIRONMENT = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    # Otherwise dlt queries an Airflow variable for each of its settings.
    "PROVIDERS__ENABLE_AIRFLOW_SECRETS": "false",
    # `conform` makes the column names. dlt's own naming convention would change `__v_text` to `_v_text`.
    "SCHEMA__NAMING": "direct",
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "true",
}


def configure() -> None:
    """Set dlt's environment variables. Call it before the process first imports dlt."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def open_pipeline(source: Source, recreated: Iterable[str] = ()) -> dlt.Pipeline:
    """Open the source's pipeline in an empty working folder, with its state from the warehouse.

    Files that a killed run left in the folder are deleted. Nothing is lost, because dlt commits state and rows to the
    warehouse together.

    Args:
        source: the source to load.
        recreated: tables that were created again. dlt's stored schema of them is dropped.
    """
    configure()
    import dlt

    from include.ingestion.destination import warehouse_destination

    folder = settings().state_dir / "dlt"
    shutil.rmtree(folder / source.name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    pipeline = dlt.pipeline(
        source.name,
        pipelines_dir=str(folder),
        destination=warehouse_destination(),
        dataset_name=source.dataset,
    )
    pipeline.sync_destination()
    if pipeline.default_schema_name:
        schema = pipeline.default_schema
        schema.drop_tables([name for name in recreated if name in schema.tables])
    return pipeline
