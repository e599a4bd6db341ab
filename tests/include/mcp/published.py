"""Creates published tables by their dbt contracts, with a few rows, and calls the tools as a client."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import anyio
import yaml
from google.cloud.bigquery import Client
from mcp import Client as McpClient
from mcp import StdioServerParameters
from mcp.types import CallToolResult, Tool

from include import ops
from include.settings import ROOT

AS_OF = datetime(2026, 10, 1, tzinfo=UTC)
PUBLISHED_AT = datetime(2026, 10, 1, 3, 30, tzinfo=UTC)


def publish(bq: Client, table: str, select: str) -> None:
    """Create a published table with every column of its contract, fill some columns by a SELECT, and record the publication."""
    dataset, name = table.split(".")
    bq.query(f"create or replace table {table} ({_columns(dataset, name)})").result()
    names = ", ".join(field.name for field in bq.query(select).result().schema)
    bq.query(f"insert into {table} ({names}) {select}").result()
    record(bq, table, "published")


@lru_cache
def _columns(layer: str, model: str) -> str:
    (contract,) = (ROOT / "dbt" / "models" / layer).rglob(f"{model}.yml")
    columns = yaml.safe_load(contract.read_text())["models"][0]["columns"]
    return ", ".join(f"{column['name']} {column['data_type']}" for column in columns)


def record(bq: Client, table: str, state: str, published_at: datetime = PUBLISHED_AT, as_of: datetime = AS_OF) -> None:
    """Record a publication state of a table in the audit table `ops.publications`."""
    dataset, name = table.split(".")
    row = {"table_name": name, "dataset": dataset, "build_dataset": f"{dataset}_build", "run_id": f"run of {as_of:%F}"}
    ops.append("ops.publications", [row | {"as_of": as_of, "published_at": published_at, "state": state}], client=bq)


def tools(server: str | StdioServerParameters) -> dict[str, Tool]:
    """The tools that a server lists, by name."""

    async def listed() -> dict[str, Tool]:
        async with McpClient(server) as client:
            return {tool.name: tool for tool in (await client.list_tools()).tools}

    return anyio.run(listed)


def call(server: str | StdioServerParameters, *calls: tuple[str, dict[str, Any]]) -> Sequence[CallToolResult]:
    """The results of several calls in one session."""

    async def called() -> Sequence[CallToolResult]:
        async with McpClient(server) as client:
            return [await client.call_tool(tool, arguments) for tool, arguments in calls]

    return anyio.run(called)


def answer(server: str | StdioServerParameters, tool: str, **arguments: Any) -> dict[str, Any]:
    """The answer to one call."""
    (result,) = call(server, (tool, arguments))
    assert not result.is_error, text_of(result)
    assert result.structured_content is not None
    return result.structured_content


def text_of(result: CallToolResult) -> str:
    """The text of a result."""
    return "\n".join(getattr(content, "text", "") for content in result.content)
