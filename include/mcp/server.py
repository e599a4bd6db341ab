"""The MCP server: its tools and their descriptions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal

from mcp.server import MCPServer
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase
from mcp.types import ToolAnnotations
from pydantic import ConfigDict, create_model

from include.mcp.churn import churned_customers
from include.mcp.explain import explain_figure
from include.mcp.root_causes import top_root_causes
from include.settings import settings

NAME = "customer-intelligence"

_INSTRUCTIONS = """
KPI tools about the customers and the support of the organizations on this platform. All figures come from published tables
that passed all checks. The tools only read. Each answer of the first two tools contains the meaning of its columns (definition), the run
it comes from (freshness) and its SQL (query). State as_of with every figure. Never add amounts with different reporting_currency.
kpi.explain_figure shows where a published figure comes from. Its rows of core and raw are not published.
"""

HOST = "127.0.0.1"
PORT = 9061


class _Strict(ArgModelBase):
    model_config = ConfigDict(extra="forbid")


_TOOLS: dict[str, tuple[str, Callable[..., Any]]] = {
    "kpi.top_root_causes": ("Top root causes of support tickets", top_root_causes),
    "kpi.churned_customers": ("Inactive customers by lifetime value", churned_customers),
    "kpi.explain_figure": ("Where a published figure comes from", explain_figure),
}


def make_server() -> MCPServer:
    """The server with all tools, for either transport."""
    tools = [_tool(name, title, function) for name, (title, function) in _TOOLS.items()]
    return MCPServer(NAME, title="Customer intelligence", instructions=_INSTRUCTIONS.strip(), tools=tools, log_level="WARNING")


def serve(transport: Literal["stdio", "http"], port: int = PORT) -> None:
    """Run the server until its client disconnects (stdio) or it is stopped (http).

    Raises:
        pydantic.ValidationError: an environment variable of the platform is invalid.
    """
    settings()
    server = make_server()
    if transport == "stdio":
        server.run("stdio")
    else:
        # There is no login, so the server accepts connections from this machine only.
        server.run("streamable-http", host=HOST, port=port, stateless_http=True, json_response=True)


def _tool(name: str, title: str, function: Callable[..., Any]) -> Tool:
    """A read-only tool. It rejects unknown parameters instead of ignoring them."""
    tool = Tool.from_function(
        function,
        name=name,
        title=title,
        description=inspect.getdoc(function),
        annotations=ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False),
    )
    tool.fn_metadata.arg_model = create_model(f"{name} arguments", __base__=(tool.fn_metadata.arg_model, _Strict))
    tool.parameters = tool.fn_metadata.arg_model.model_json_schema(by_alias=True)
    return tool
