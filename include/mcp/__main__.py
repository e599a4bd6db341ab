"""`python -m include.mcp --transport stdio|http`: run the MCP server."""

from __future__ import annotations

import argparse

from include.mcp import make_server

HOST = "127.0.0.1"
PORT = 9061


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m include.mcp", description="The KPI tools for AI assistants, read-only.")
    parser.add_argument(
        "--transport", choices=["stdio", "http"], default="stdio", help="stdio (default), or streamable HTTP on this machine"
    )
    parser.add_argument("--port", type=int, default=PORT, help=f"port of http (default {PORT})")
    arguments = parser.parse_args()
    server = make_server()
    if arguments.transport == "stdio":
        server.run("stdio")
    else:
        # There is no login: only this machine gets in.
        server.run("streamable-http", host=HOST, port=arguments.port, stateless_http=True, json_response=True)


if __name__ == "__main__":
    main()
