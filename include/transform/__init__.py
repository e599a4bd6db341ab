"""The dbt project as Airflow tasks: the one place where Cosmos is configured."""

from include.transform.cadences import Refresh, refreshes
from include.transform.cuts import cut_manifest
from include.transform.layers import GATED, LAYERS, PROFILE, TARGET, dbt_layer, rendered_selectors
from include.transform.lock import BUILD, Lock, take_lock
from include.transform.retention import forget_old_versions
from include.transform.run import has_begun, looking_back, open_run, run_of, skip_run
from include.transform.seeds import skip_loaded_seeds

__all__ = [
    "BUILD",
    "GATED",
    "LAYERS",
    "PROFILE",
    "TARGET",
    "Lock",
    "Refresh",
    "cut_manifest",
    "dbt_layer",
    "forget_old_versions",
    "has_begun",
    "looking_back",
    "open_run",
    "refreshes",
    "rendered_selectors",
    "run_of",
    "skip_loaded_seeds",
    "skip_run",
    "take_lock",
]
