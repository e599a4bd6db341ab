"""The columns that each loader adds to a table, and what they mean.

Sources: Fivetran's "System columns and tables" and "Sync modes"; Airbyte's "Metadata fields" and "Direct load tables" (destinations v2);
the Singer specification of Stitch's targets; dlt's "Destination tables".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Loader:
    """The conventions of one loader. SQL texts have `{row}` for the row of the table, and `{table}` for the table.

    Attributes:
        needed: columns without which the table is not one of this loader.
        loaded_at: SQL of the time at which the loader wrote the row.
        extracted_at: SQL of a time that orders the rows of a key as the loader has read them.
        deleted: optional column → SQL of the condition that the source has deleted the row.
        generation: column of the table's generation. Rows of earlier ones are superseded.
        only_versions: the generation counts only in tables that keep all versions.
        period: columns of the time from which, of the time until which, and of whether a version is in force, if the table keeps all
            versions.
        altered: optional column → SQL of the number of values that the loader has altered.
        completed: SQL of a table that is joined as `loads`: only rows of completed loads count.
        load_id: SQL of the loader's own id of the load.
    """

    needed: tuple[str, ...]
    loaded_at: str
    extracted_at: str
    deleted: Mapping[str, str] = field(default_factory=dict)
    generation: str | None = None
    only_versions: bool = False
    period: tuple[str, str, str] | None = None
    altered: Mapping[str, str] = field(default_factory=dict)
    completed: str | None = None
    load_id: str = "cast(null as string)"


LOADERS: dict[str, Loader] = {
    "fivetran": Loader(
        needed=("_fivetran_synced",),
        loaded_at="{row}._fivetran_synced",
        extracted_at="{row}._fivetran_synced",
        deleted={"_fivetran_deleted": "coalesce({row}._fivetran_deleted, false)"},
        period=("_fivetran_start", "_fivetran_end", "_fivetran_active"),
    ),
    "airbyte": Loader(
        needed=("_airbyte_extracted_at", "_airbyte_generation_id"),
        loaded_at="{row}._airbyte_extracted_at",
        extracted_at="{row}._airbyte_extracted_at",
        deleted={"_ab_cdc_deleted_at": "{row}._ab_cdc_deleted_at is not null"},
        generation="_airbyte_generation_id",
        # In a table with one row per key, a refresh that is not finished has not read all rows again.
        only_versions=True,
        altered={"_airbyte_meta": "coalesce(array_length(json_query_array({row}._airbyte_meta, '$.changes')), 0)"},
    ),
    "stitch": Loader(
        needed=("_sdc_received_at", "_sdc_sequence"),
        loaded_at="{row}._sdc_received_at",
        extracted_at="timestamp_millis({row}._sdc_sequence)",
        deleted={"_sdc_deleted_at": "{row}._sdc_deleted_at is not null"},
        generation="_sdc_table_version",
    ),
    "dlt": Loader(
        needed=("_dlt_load_id",),
        loaded_at="loads.inserted_at",
        # A load's id is the second of its start, as a number with decimals.
        extracted_at="timestamp_micros(cast(safe_cast({row}._dlt_load_id as numeric) * 1000000 as int64))",
        completed="_dlt_loads",
        load_id="{row}._dlt_load_id",
    ),
}
