"""The dbt project as Airflow tasks: the package that configures Cosmos."""

from include.transform.layers import GATED, LAYERS, dbt_layer, rendered_selectors
from include.transform.node_manifests import cut_manifest
from include.transform.seeds import skip_loaded_seeds

__all__ = ["GATED", "LAYERS", "cut_manifest", "dbt_layer", "rendered_selectors", "skip_loaded_seeds"]
