"""Reads REST APIs through dlt's HTTP client, paginators and authentication. `RestResources` is the reader."""

from include.sources.readers.rest.resources import RestResources

__all__ = ["RestResources"]
