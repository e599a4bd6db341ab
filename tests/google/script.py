"""Splits a script into its declarations, statements and expressions, conditional or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.message import Message
from zetasql.wasi._pb2.zetasql.proto import options_pb2 as options

from tests.google import tree
from tests.google.engine import Engine, service
from tests.google.types import of_sql

_BEGINS = re.compile(r"(?i)\s*(declare|set|if|loop|while|repeat|for|begin(?!\s+transaction\b|\s*;|\s*$))\b")


@dataclass(frozen=True)
class Piece:
    """One statement of a script that can be checked by itself.

    Attributes:
        sql: the statement, with script variables as query parameters.
        conditional: whether the script may skip it.
        declares: name and type of the variable, for a declaration, which has no statement.
    """

    sql: str
    conditional: bool
    declares: tuple[str, str] | None = None


def is_script(sql: str) -> bool:
    """Whether the text begins with a variable or control flow, which the analyzer does not support."""
    return bool(_BEGINS.match(sql))


def pieces(engine: Engine, sql: str, language: options.LanguageOptionsProto) -> list[Piece]:
    """The statements of a script in their order.

    Raises:
        Refused: Google's parser refuses the script.
    """
    request = service.ParseRequest(sql_statement=sql, allow_script=True, options=language)
    parsed = engine.call("Parse", request, service.ParseResponse).parsed_script
    found = list(_of_list(parsed.statement_list_node, sql.encode(), conditional=False))
    variables = [piece.declares[0] for piece in found if piece.declares]
    return [Piece(_as_parameters(piece.sql, variables), piece.conditional, piece.declares) for piece in found]


def _of_list(statements: Message, data: bytes, conditional: bool) -> Iterator[Piece]:
    for wrapper in statements.statement_list:
        node = tree.inner(wrapper)
        kind = node.DESCRIPTOR.name
        if kind == "ASTVariableDeclarationProto":
            of_type = of_sql(_text(tree.inner(node.type), data)).type
            for name in node.variable_list.identifier_list:
                yield Piece("", conditional, (name.id_string, of_type))
            if node.HasField("default_value"):
                yield Piece(f"select ({_text(tree.inner(node.default_value), data)})", conditional)
        elif kind == "ASTSingleAssignmentProto":
            yield Piece(f"select ({_text(tree.inner(node.expression), data)})", conditional)
        elif kind == "ASTIfStatementProto":
            yield Piece(f"select ({_text(tree.inner(node.condition), data)})", conditional)
            yield from _of_list(node.then_list, data, conditional=True)
            for clause in node.elseif_clauses.elseif_clauses:
                yield Piece(f"select ({_text(tree.inner(clause.condition), data)})", conditional=True)
                yield from _of_list(clause.body, data, conditional=True)
            yield from _of_list(node.else_list, data, conditional=True)
        elif kind == "ASTBeginEndBlockProto":
            yield from _of_list(node.statement_list_node, data, conditional)
        else:
            yield Piece(_text(node, data), conditional)


def _text(node: Message, data: bytes) -> str:
    place = tree.ancestor(node, "parse_location_range")
    return data[place.start : place.end].decode()


def _as_parameters(sql: str, variables: list[str]) -> str:
    for name in variables:
        sql = re.sub(rf"(?<![\w.`@'\"]){re.escape(name)}(?![\w`])", f"@{name}", sql)
    return sql
