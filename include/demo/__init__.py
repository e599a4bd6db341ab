"""The demo company: a deterministic generator of its tables, and the systems that serve them."""

from include.demo.connections import connections

__all__ = ["connections"]
