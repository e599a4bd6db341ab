"""The dbt project as Airflow tasks: the one place where Cosmos is configured."""

from include.transform.layers import LAYERS, PROFILE, TARGET, dbt_layer, is_rendered
from include.transform.run import has_begun, open_run, run_of

__all__ = ["LAYERS", "PROFILE", "TARGET", "dbt_layer", "has_begun", "is_rendered", "open_run", "run_of"]
