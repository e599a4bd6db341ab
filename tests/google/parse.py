"""Parses a statement with Google's parser, and edits its text at the positions of the parse tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from zetasql.wasi._pb2.zetasql.proto import options_pb2 as options

from tests.google.engine import Engine, service

#: Start and end (bytes of the UTF-8 text), and the new text.
Edit = tuple[int, int, str]


@dataclass(frozen=True)
class Statement:
    """One parsed statement.

    Attributes:
        text: its text in UTF-8; the parser's positions are bytes of it.
        kind: `query`, `insert`, `merge`, `create_table`, …
        node: the parse tree.
    """

    text: bytes
    kind: str
    node: Message

    def words(self, node: Message) -> str:
        """The text of a part of the statement."""
        start, end = span(node)
        return self.text[start:end].decode()

    def edited(self, edits: Sequence[Edit]) -> str:
        """The text with the edits applied; edits must not overlap."""
        made = self.text
        for start, end, text in sorted(edits, reverse=True):
            made = made[:start] + text.encode() + made[end:]
        return made.decode()


def parse(engine: Engine, sql: str, language: options.LanguageOptionsProto) -> Statement:
    """Parse one statement.

    Raises:
        Refused: the text is not one statement.
    """
    request = service.ParseRequest(sql_statement=sql)
    request.options.CopyFrom(language)
    node = bare(engine.call("Parse", request, service.ParseResponse).parsed_statement)
    return Statement(sql.encode(), _kind(node), node)


def of_type(node: Message, name: str) -> Iterator[Message]:
    """All nodes of one type at and below a node, such as `ASTFunctionCall`."""
    if node.DESCRIPTOR.name == f"{name}Proto":
        yield node
    for field, value in node.ListFields():
        if field.message_type is not None and field.name not in {"parent", "parse_location_range"}:
            for inner in [value] if isinstance(value, Message) else value:
                yield from of_type(inner, name)


def bare(node: Message) -> Message:
    """A node without the `Any…` messages around it."""
    while node.DESCRIPTOR.name.startswith("Any"):
        node = node.ListFields()[0][1]
    return node


def span(node: Message) -> tuple[int, int]:
    """Start and end of a node in the text."""
    while not hasattr(node, "parse_location_range"):
        node = node.parent if hasattr(node, "parent") else bare(node)
    return node.parse_location_range.start, node.parse_location_range.end


def part(node: Message, name: str) -> Any:
    """A field of a node or of its parent types."""
    while not hasattr(node, name):
        node = node.parent
    return getattr(node, name)


def name_path(path: Message) -> tuple[str, ...]:
    """The names of a path expression."""
    return tuple(part for name in path.names for part in name.id_string.split("."))


def renamed_tables(statement: Statement, rename: Callable[[tuple[str, ...]], str | None]) -> list[Edit]:
    """Edits that rename the tables of a statement. Each table keeps its alias, explicit or by default.

    Args:
        statement: the statement.
        rename: path → new name; None keeps the path.
    """
    edits = []
    for table in of_type(statement.node, "ASTTablePathExpression"):
        if table.HasField("path_expr") and (name := rename(name_path(table.path_expr))):
            alias = "" if table.HasField("alias") else f" as `{name_path(table.path_expr)[-1]}`"
            edits.append((*span(table.path_expr), f"`{name}`{alias}"))
    return edits


def renamed_target(statement: Statement, name: str) -> Edit:
    """The edit that renames the target table of an INSERT, UPDATE or DELETE. The table keeps its alias."""
    node: Any = statement.node
    path = bare(node.target_path)
    alias = "" if statement.kind == "insert" or node.HasField("alias") else f" as `{name_path(path)[-1]}`"
    return (*span(path), f"`{name}`{alias}")


def extremes_by(statement: Statement) -> list[Edit]:
    """Edits that replace `min_by(a, b)` by `any_value(a having min b)`, which is its definition in BigQuery."""
    edits = []
    for call in of_type(statement.node, "ASTFunctionCall"):
        name = ".".join(name_path(call.function)).lower()
        if name in {"min_by", "max_by"}:
            edits.append((*span(call.function), "any_value"))
            end, start = span(call.arguments[0])[1], span(call.arguments[1])[0]
            comma = statement.text.index(b",", end, start)
            edits.append((comma, comma + 1, f" having {name[:3]} "))
    return edits


def _kind(node: Message) -> str:
    """`create_table` for an ASTCreateTableStatementProto."""
    name = node.DESCRIPTOR.name.removeprefix("AST").removesuffix("Proto").removesuffix("Statement")
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
