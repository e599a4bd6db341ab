"""The dbt project as Airflow tasks: the package that configures Cosmos."""

from include.terms import GATED
from include.transform.layers import dbt_layer, layer_selectors, rendered_selectors
from include.transform.node_manifests import write_node_manifests
from include.transform.seeds import skip_loaded_seeds

__all__ = ["GATED", "dbt_layer", "layer_selectors", "rendered_selectors", "skip_loaded_seeds", "write_node_manifests"]
