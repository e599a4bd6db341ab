"""Shared by all DAGs: task defaults, the as-of parameter, locks, the start of a run, refreshes, retention."""

from include.orchestration.defaults import (
    AS_OF_PARAMETER,
    INSTANT_PARAMETER,
    LOADED_ASSET,
    PUBLISHED_ASSET,
    default_args,
    gate_task,
    load_task,
    publish_task,
    raw_asset,
    raw_assets,
    record_failure,
    record_success,
    run_is_late,
    tier_tag,
    try_lock,
    wait_for_lock,
)
from include.orchestration.locks import BUILD, Lock, take_lock
from include.orchestration.refreshes import Refresh, refreshes
from include.orchestration.retention import delete_old_versions
from include.orchestration.runs import full_refresh_if_backfill, has_begun, open_run, skip_run
from include.orchestration.seeds import skip_loaded_seeds
from include.orchestration.selection import scope_of_selection, selected_tables

__all__ = [
    "AS_OF_PARAMETER",
    "BUILD",
    "INSTANT_PARAMETER",
    "LOADED_ASSET",
    "PUBLISHED_ASSET",
    "Lock",
    "Refresh",
    "default_args",
    "delete_old_versions",
    "full_refresh_if_backfill",
    "gate_task",
    "has_begun",
    "load_task",
    "open_run",
    "publish_task",
    "raw_asset",
    "raw_assets",
    "record_failure",
    "record_success",
    "refreshes",
    "run_is_late",
    "scope_of_selection",
    "selected_tables",
    "skip_loaded_seeds",
    "skip_run",
    "take_lock",
    "tier_tag",
    "try_lock",
    "wait_for_lock",
]
