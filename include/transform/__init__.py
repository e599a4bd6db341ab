"""The dbt project as Airflow tasks: the one place where Cosmos is configured."""

from include.transform.layers import GATED, LAYERS, PROFILE, TARGET, dbt_layer, rendered_selectors
from include.transform.retention import forget_old_versions
from include.transform.run import has_begun, open_run, run_of

__all__ = [
    "GATED",
    "LAYERS",
    "PROFILE",
    "TARGET",
    "dbt_layer",
    "forget_old_versions",
    "has_begun",
    "open_run",
    "rendered_selectors",
    "run_of",
]
