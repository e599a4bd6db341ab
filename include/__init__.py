"""The Python that the DAGs call, one package per concern. README.md has the map of the folders."""
