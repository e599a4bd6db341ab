# ruff: noqa: S608 - SQL is put together from names and rules of the platform's own, never from data.
"""The rules of the raw gate of a source that a loader has landed. The platform has loaded nothing, so it checks what the loader did."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

from include.quality.rules import Rule
from include.sources import Source
from include.sources.landed import ALTERED, UNREADABLE

#: The rules of a load that also hold for landed tables. The others are about rows that the platform has loaded.
OF_EVERY_SOURCE = frozenset({"every_table_arrived", "whole_reads_have_rows", "whole_reads_as_usual", "schema_as_agreed"})


def landed_rules(source: Source) -> Iterator[Rule]:
    """The loader has synced in time, and no value is unreadable or altered."""
    yield _synced(source, "loader_has_synced", "block", source.freshness.error_after)
    yield _synced(source, "loader_syncs_on_time", "warn", source.freshness.warn_after)
    for table in source.tables.values():
        relation = f"{source.dataset}.{table.name}"
        yield Rule(
            name=f"values_are_readable_in_{table.name}",
            relation=relation,
            action="warn",
            reason="The loader's values do not have the type that the mapping reads. They count as unknown; the row names the columns.",
            key=(*table.primary_key, UNREADABLE),
            rows=f"select * from {relation}\nwhere {UNREADABLE} is not null",
        )
        if source.reader.type == "landed" and source.reader.loader == "airbyte":
            yield Rule(
                name=f"loader_kept_values_in_{table.name}",
                relation=relation,
                action="warn",
                reason="The loader has cut off or removed values, because they did not fit their columns. See its column _airbyte_meta.",
                key=(*table.primary_key, ALTERED),
                rows=f"select * from {relation}\nwhere {ALTERED} > 0",
            )


def _synced(source: Source, name: str, action: Literal["warn", "block"], after: timedelta) -> Rule:
    minutes = after // timedelta(minutes=1)
    return Rule(
        name=name,
        relation="ops.loads",
        action=action,
        reason=f"The loader's newest row is more than {minutes / 60:g} hours older than the as-of time. Look at its last syncs.",
        key=("table_name", "loaded_at"),
        rows=f"select * from ops.loads\nwhere batch_id = @batch_id and loaded_at < timestamp_sub(@as_of, interval {minutes} minute)",
    )
