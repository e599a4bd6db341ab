"""The KPI tools for AI assistants: a read-only MCP server over what is published. `docs/mcp.md` says how to use it."""

from include.mcp.server import HOST, PORT, make_server, serve

__all__ = ["HOST", "PORT", "make_server", "serve"]
