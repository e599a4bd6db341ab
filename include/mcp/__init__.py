"""The KPI tools for AI assistants: a read-only MCP server for published tables. `docs/mcp.md` explains how to use it."""

from include.mcp.server import HOST, PORT, make_server, serve

__all__ = ["HOST", "PORT", "make_server", "serve"]
