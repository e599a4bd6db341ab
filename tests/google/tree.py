"""Walks over the analyzer's resolved tree, to find what the analyzer accepts and BigQuery's planner refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from google.protobuf.message import Message
from zetasql.wasi._pb2.zetasql.resolved_ast import resolved_ast_enums_pb2 as enums

_JOIN = enums.ResolvedJoinScanEnums
_OUTER = {_JOIN.LEFT: "LEFT", _JOIN.RIGHT: "RIGHT", _JOIN.FULL: "FULL"}
_EQUAL = "$equal"
_COMPARISONS = frozenset(
    {"$equal", "$not_equal", "$is_null", "$in", "$is_distinct_from", "$is_not_distinct_from", "coalesce", "count"}
)
#: Fields that contain no part of the query; most messages of a tree lie below them.
_TYPES = frozenset({"type", "type_annotation_map", "signature", "annotation_map", "node_source"})


Index = Mapping[str, list[Message]]


def walk(node: Message) -> Iterator[Message]:
    """The node and everything below it, without types."""
    stack = [node]
    while stack:
        item = stack.pop()
        yield item
        stack.extend(children(item))


def children(node: Message) -> list[Message]:
    """The messages directly below a node, without types."""
    found: list[Message] = []
    for field, value in node.ListFields():
        if field.message_type is not None and field.name not in _TYPES:
            found.extend(value) if field.is_repeated else found.append(value)
    return found


def below(node: Message, kind: str) -> Iterator[Message]:
    """All nodes of one kind, for example `ResolvedJoinScanProto`."""
    return (item for item in walk(node) if item.DESCRIPTOR.name == kind)


def index(node: Message) -> dict[str, list[Message]]:
    """All nodes of the tree by kind, so that one walk serves many checks."""
    found: dict[str, list[Message]] = {}
    for item in walk(node):
        found.setdefault(item.DESCRIPTOR.name, []).append(item)
    return found


def inner(wrapper: Message) -> Message:
    """The message inside an `Any…` message."""
    while wrapper.DESCRIPTOR.oneofs and wrapper.DESCRIPTOR.name.startswith("Any"):
        name = wrapper.WhichOneof(wrapper.DESCRIPTOR.oneofs[0].name)
        if name is None:
            break
        wrapper = getattr(wrapper, name)
    return wrapper


def ancestor(node: Message, field: str) -> Any:
    """A field of the node or of its nearest parent with this field."""
    while field not in node.DESCRIPTOR.fields_by_name:
        node = node.parent
    return getattr(node, field)


def call_of(wrapper: Message) -> Any:
    """The function call that an expression is; None if it is something else."""
    node = inner(wrapper)
    if not node.DESCRIPTOR.name.startswith("ResolvedFunctionCall"):
        return None
    return node if node.DESCRIPTOR.name == "ResolvedFunctionCallBaseProto" else node.parent


def function_of(call: Any) -> str:
    """The name of the function that is called; operators begin with `$`."""
    return str(call.function.name.rpartition(":")[2])


def references(node: Message) -> set[int]:
    """The ids of the columns that are referred to below a node."""
    return {item.column.column_id for item in below(node, "ResolvedColumnRefProto")}


def count_scans(node: Message, weigh: Callable[[str], int], entries: Mapping[str, int] | None = None) -> int:
    """The number of tables scanned, with each view and each CTE expanded wherever it is referred to.

    Args:
        node: a statement or a part of one.
        weigh: name of a table or view in the catalog → its scans.
        entries: visible CTE → its scans.
    """
    entries = dict(entries or {})
    total, stack = 0, [node]
    while stack:
        item = stack.pop()
        kind = item.DESCRIPTOR.name
        if kind == "ResolvedWithScanProto":
            scope = dict(entries)
            for entry in item.with_entry_list:
                scope[entry.with_query_name] = count_scans(entry.with_subquery, weigh, scope)
            total += count_scans(item.query, weigh, scope)
            continue
        if kind == "ResolvedTableScanProto":
            total += weigh(item.table.full_name)
        elif kind == "ResolvedWithRefScanProto":
            total += entries[item.with_query_name]
        stack.extend(children(item))
    return total


def outer_joins_without_equality(nodes: Index) -> Iterator[str]:
    """Outer joins whose condition compares no expression of one side with one of the other by `=`."""
    for join in nodes.get("ResolvedJoinScanProto", ()):
        if join.join_type not in _OUTER:
            continue
        sides = [_columns(join.left_scan), _columns(join.right_scan)]
        if not any(_bridges(pair, sides) for pair in _equalities(join.join_expr)):
            names = sorted({column.table_name for side in (join.left_scan, join.right_scan) for column in _column_list(side)})
            yield f"{_OUTER[join.join_type]} JOIN between {', '.join(names)}"


def subqueries_that_stay_correlated(nodes: Index) -> Iterator[str]:
    """Correlated subqueries that read a table and have no `=` with the outer row: BigQuery cannot turn them into joins."""
    for subquery in nodes.get("ResolvedSubqueryExprProto", ()):
        if not subquery.parameter_list or subquery.HasField("in_expr"):
            continue
        if not any(
            item.DESCRIPTOR.name in {"ResolvedTableScanProto", "ResolvedWithRefScanProto"} for item in walk(subquery.subquery)
        ):
            continue
        outer = {reference.column.column_id for reference in subquery.parameter_list}
        if not any(_ties(pair, outer) for pair in _all_equalities(subquery.subquery)):
            yield f"subquery that refers to {', '.join(sorted({r.column.name for r in subquery.parameter_list}))}"


def recursion_below_the_top(nodes: Index, statement: Message) -> Iterator[str]:
    """Recursive CTEs below the top of a statement or view. BigQuery accepts them at the top only."""
    whole = statement.parent if statement.DESCRIPTOR.name == "ResolvedCreateViewStmtProto" else statement
    top = inner(whole.query) if "query" in whole.DESCRIPTOR.fields_by_name else None
    for scan in nodes.get("ResolvedWithScanProto", ()):
        if scan.recursive and scan != top:
            yield ", ".join(entry.with_query_name for entry in scan.with_entry_list)


def rows_taken_for_columns(nodes: Index) -> Iterator[str]:
    """Comparisons of a whole row. A column name means the row if a table of the same name has no alias."""
    for call in nodes.get("ResolvedFunctionCallBaseProto", ()):
        if function_of(call) in _COMPARISONS:
            for argument in call.argument_list:
                if inner(argument).DESCRIPTOR.name == "ResolvedMakeStructProto":
                    yield f"{function_of(call).lstrip('$')} of a whole row"


def single_row(query: Message) -> bool:
    """Whether a query returns exactly one row, whatever the tables contain: an aggregation without groups, or no table at all."""
    scan = inner(query)
    while True:
        kind = scan.DESCRIPTOR.name
        if kind == "ResolvedAggregateScanProto":
            base = scan.parent
            return not base.group_by_list and not base.grouping_set_list
        if kind == "ResolvedSingleRowScanProto":
            return True
        if kind == "ResolvedWithScanProto":
            scan = inner(scan.query)
        elif kind in {
            "ResolvedProjectScanProto",
            "ResolvedOrderByScanProto",
            "ResolvedAnalyticScanProto",
            "ResolvedLimitOffsetScanProto",
        }:
            scan = inner(scan.input_scan)
        else:
            return False


def written(node: Message) -> dict[int, str]:
    """Id of a computed column → its literal text or whole number in the statement."""
    found: dict[int, str] = {}
    for computed in below(node, "ResolvedComputedColumnProto"):
        literal = inner(computed.expr)
        if literal.DESCRIPTOR.name == "ResolvedLiteralProto":
            value = literal.value.value
            kind = value.WhichOneof("value")
            if kind in {"string_value", "int64_value"}:
                found[computed.column.column_id] = str(getattr(value, kind))
    return found


def _column_list(wrapper: Message) -> Any:
    return ancestor(inner(wrapper), "column_list")


def _columns(wrapper: Message) -> set[int]:
    """The ids of all columns that a scan returns or computes."""
    made = {column.column_id for column in _column_list(wrapper)}
    for item in walk(wrapper):
        if item.DESCRIPTOR.name == "ResolvedScanProto":
            made.update(column.column_id for column in item.column_list)
    return made


def _equalities(condition: Message) -> Iterator[list[set[int]]]:
    """For each `a = b` that the condition requires: the columns of a and the columns of b."""
    call = call_of(condition)
    if call is None:
        return
    if function_of(call) == "$and":
        for argument in call.argument_list:
            yield from _equalities(argument)
    elif function_of(call) == _EQUAL:
        yield [references(argument) for argument in call.argument_list]


def _all_equalities(node: Message) -> Iterator[list[set[int]]]:
    for call in below(node, "ResolvedFunctionCallBaseProto"):
        if function_of(call) == _EQUAL:
            yield [references(argument) for argument in call.argument_list]


def _bridges(pair: list[set[int]], sides: list[set[int]]) -> bool:
    one, other = pair
    left, right = sides
    return bool(one and other) and ((one <= left and other <= right) or (one <= right and other <= left))


def _ties(pair: list[set[int]], outer: set[int]) -> bool:
    one, other = pair
    return bool(one and other) and ((one <= outer and not other & outer) or (other <= outer and not one & outer))
