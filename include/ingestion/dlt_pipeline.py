"""How dlt is set up here: one pipeline per source, with a working folder that may be lost at any time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from typing import TYPE_CHECKING

from include.settings import settings

if TYPE_CHECKING:
    import dlt

    from include.sources.schema import Source

#: What dlt reads from the environment when it is imported; anything set outside wins.
_ENVIRONMENT = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    # dlt would otherwise look for an Airflow variable for each of its settings.
    "PROVIDERS__ENABLE_AIRFLOW_SECRETS": "false",
    # Column names are made by `conform`; dlt's own convention would turn `__v_text` into `_v_text`.
    "SCHEMA__NAMING": "direct",
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "true",
}


def configure() -> None:
    """Set dlt's switches. Must run before dlt is first imported in the process."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def open_pipeline(source: Source, forget: Iterable[str] = ()) -> dlt.Pipeline:
    """The source's pipeline, in a fresh working folder, with its state as the warehouse has it.

    Whatever a killed run left in the folder is thrown away: state moves on in the warehouse together with the rows that it
    stands for, so reading from there loses nothing.

    Args:
        source: whose pipeline.
        forget: tables that dlt must not believe it knows, because they were made anew.
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
        schema.drop_tables([name for name in forget if name in schema.tables])
    return pipeline
