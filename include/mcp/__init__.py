"""The KPI tools for AI assistants: a read-only MCP server over what is published. `docs/mcp.md` says how to use it."""

from include.mcp.server import make_server

__all__ = ["make_server"]
