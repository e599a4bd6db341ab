"""`python -m include.mcp --transport stdio|http`: run the MCP server."""

from __future__ import annotations

import argparse

from include.mcp import HOST, PORT, serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m include.mcp", description="The KPI tools for AI assistants, read-only.")
    parser.add_argument(
        "--transport",
        choices=["stdio", "http"],
        default="stdio",
        help=f"stdio (default), or streamable HTTP on http://{HOST}:{PORT}/mcp",
    )
    parser.add_argument("--port", type=int, default=PORT, help=f"port of http (default {PORT})")
    arguments = parser.parse_args()
    serve(arguments.transport, arguments.port)


if __name__ == "__main__":
    main()
