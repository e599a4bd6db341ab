"""The Python that the DAGs call, one package per concern. See docs/architecture.md for the map."""
