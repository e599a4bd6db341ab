"""The dbt project as Airflow tasks: the package that configures Cosmos."""

from include.transform.layers import dbt_layer, rendered_selectors
from include.transform.node_manifests import write_node_manifests

__all__ = ["dbt_layer", "rendered_selectors", "write_node_manifests"]
