"""The columns and partitions of stored tables that a statement reads, as BigQuery bills them.

Views and CTEs are expanded, unused columns are left out, and constants compared with the partition column limit the partitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from google.protobuf.message import Message
from zetasql.wasi._pb2.zetasql.resolved_ast import resolved_ast_enums_pb2 as enums

from include.cost.prices import UNKNOWN
from include.cost.sizes import NO_VALUE
from tests.google import tree
from tests.google.catalog import Project, Relation
from tests.google.ranges import ENDS, MIRRORED, Range, Ranges, both, column_of, day, either, limit

_JOIN = enums.ResolvedJoinScanEnums
_ACTION = enums.ResolvedMergeWhenEnums
_UNION_ALL = enums.ResolvedSetOperationScanEnums.UNION_ALL


@dataclass
class Read:
    """The columns and partitions read of one stored table.

    Attributes:
        columns: names of the columns; all columns if the statement changes rows of the table.
        ranges: of the partition column, at least one per reference to the table; an empty range for a reference
            that compares the column with no constant.
    """

    columns: set[str] = field(default_factory=set)
    ranges: list[Range] = field(default_factory=list)

    def recorded(self) -> dict[str, Any]:
        return {"columns": sorted(self.columns), "ranges": self.ranges}


@dataclass(frozen=True)
class _Scope:
    """The visible CTEs: name → its query, and the CTEs visible to that query."""

    entries: Mapping[str, tuple[Message, _Scope]] = field(default_factory=dict)

    def within(self, entries: Iterable[Message]) -> _Scope:
        scope = self
        for entry in entries:
            scope = _Scope({**scope.entries, entry.with_query_name: (entry.with_subquery, scope)})
        return scope


def reads(project: Project, statement: Message, parameters: Mapping[str, str] | None = None) -> dict[tuple[str, str], Read]:
    """Stored table → its columns and partitions that the statement reads.

    As BigQuery bills it: UPDATE, DELETE, and a MERGE that updates or deletes, read all columns of the table that they change.

    Args:
        project: the project with its views and the partitioning of its tables.
        statement: the resolved statement; DDL other than CREATE TABLE AS reads nothing.
        parameters: name → value of the query parameters, in the form of the REST API.
    """
    reader = _Reader(project, parameters or {})
    handler = _STATEMENTS.get(statement.DESCRIPTOR.name)
    if handler is not None:
        handler(reader, statement)
    return reader.found


class _Reader:
    def __init__(self, project: Project, parameters: Mapping[str, str]) -> None:
        self._project = project
        self._parameters = parameters
        self.found: dict[tuple[str, str], Read] = {}

    # Statements.

    def query(self, node: Message) -> None:
        self.scan(node.query, {column.column.column_id for column in node.output_column_list}, {}, _Scope())

    def insert(self, node: Message) -> None:
        if node.HasField("query"):
            self.scan(node.query, {column.column_id for column in node.query_output_column_list}, {}, _Scope())
        for row in node.row_list:
            self._used(row, _Scope())

    def merge(self, node: Message) -> None:
        used = self._used(node.merge_expr, _Scope())
        for clause in node.when_clause_list:
            used |= self._used(clause, _Scope())
        self.scan(node.from_scan, used, {}, _Scope())
        ranges = self._ranges(node.merge_expr)
        if any(clause.action_type != _ACTION.INSERT for clause in node.when_clause_list):
            self._whole(node.table_scan, ranges)
        elif self._used(node.merge_expr, _Scope()) & {column.column_id for column in node.table_scan.parent.column_list}:
            self.scan(node.table_scan, used, ranges, _Scope())

    def change(self, node: Message) -> None:
        """UPDATE and DELETE."""
        used = self._used(node.where_expr, _Scope())
        ranges = self._ranges(node.where_expr)
        if node.DESCRIPTOR.name == "ResolvedUpdateStmtProto":
            for item in node.update_item_list:
                used |= self._used(item, _Scope())
            if node.HasField("from_scan"):
                self.scan(node.from_scan, used, ranges, _Scope())
        self._whole(node.table_scan, ranges)

    def _whole(self, table_scan: Message, ranges: Ranges) -> None:
        relation = self._relation(table_scan)
        named = {column.name: ranges[column.column_id] for column in table_scan.parent.column_list if column.column_id in ranges}
        self._note(relation, {column.name for column in relation.columns}, named)

    # Scans.

    def scan(self, wrapper: Message, needed: set[int], ranges: Ranges, scope: _Scope) -> None:
        """Record the tables that a scan reads.

        Args:
            wrapper: the scan.
            needed: ids of its columns that are used above it.
            ranges: id of a column → its limits from above the scan.
            scope: the visible CTEs.
        """
        node = tree.inner(wrapper)
        handler = _SCANS.get(node.DESCRIPTOR.name)
        if handler is not None:
            handler(self, node, needed, ranges, scope)
            return
        # For any other kind, all of its columns count as used.
        used = needed | _references(node)
        for child in _scans_below(node):
            self.scan(child, used | _outputs(child), {}, scope)

    def table(self, node: Message, needed: set[int], ranges: Ranges, scope: _Scope) -> None:
        relation = self._relation(node)
        columns = {column.name: column.column_id for column in node.parent.column_list}
        used = {name for name, number in columns.items() if number in needed}
        named = {name: ranges[number] for name, number in columns.items() if number in ranges}
        if relation.query is None:
            self._note(relation, used, named)
            return
        inner = {column.name: column.column.column_id for column in relation.query.output_column_list}
        self.scan(
            relation.query.query,
            {inner[name] for name in used if name in inner},
            {inner[name]: limits for name, limits in named.items() if name in inner},
            _Scope(),
        )

    def project(self, node: Message, needed: set[int], ranges: Ranges, scope: _Scope) -> None:
        below = dict(ranges)
        for computed in node.expr_list:
            if computed.column.column_id in needed:
                needed = needed | self._used(computed.expr, scope)
            renamed = column_of(computed.expr)
            if renamed is not None and computed.column.column_id in ranges:
                below[renamed] = ranges[computed.column.column_id]
        self.scan(node.input_scan, needed, below, scope)

    def filter(self, node: Message, needed: set[int], ranges: Ranges, scope: _Scope) -> None:
        below = both(ranges, self._ranges(node.filter_expr))
        self.scan(node.input_scan, needed | self._used(node.filter_expr, scope), below, scope)

    def join(self, node: Message, needed: set[int], ranges: Ranges, scope: _Scope) -> None:
        needed = needed | self._used(node.join_expr, scope) | _references(node.parameter_list)
        own = self._ranges(node.join_expr)
        # A condition limits a side only if the join drops that side's rows when the condition is false.
        left = both(ranges, own) if node.join_type in {_JOIN.INNER, _JOIN.RIGHT} else ranges
        right = both(ranges, own) if node.join_type in {_JOIN.INNER, _JOIN.LEFT} else ranges
        self.scan(node.left_scan, needed, left, scope)
        self.scan(node.right_scan, needed, right, scope)

    def aggregate(self, node: Message, needed: set[int], ranges: Ranges, scope: _Scope) -> None:
        base, used, below = node.parent, set[int](), dict[int, list[Range]]()
        for key in base.group_by_list:
            used |= self._used(key.expr, scope)
            grouped = column_of(key.expr)
            if grouped is not None and key.column.column_id in ranges:
                below[grouped] = ranges[key.column.column_id]
        for wrapper in base.aggregate_list:
            computed = tree.inner(wrapper)
            if tree.ancestor(computed, "column").column_id in needed:
                used |= self._used(computed, scope)
        self.scan(base.input_scan, used, below, scope)

    def analytic(self, node: Message, needed: set[int], ranges: Ranges, scope: _Scope) -> None:
        passed = dict(ranges)
        for group in node.function_group_list:
            keys = _references(group.partition_by)
            passed = {number: limits for number, limits in passed.items() if number in keys}
            live = [
                item
                for item in map(tree.inner, group.analytic_function_list)
                if tree.ancestor(item, "column").column_id in needed
            ]
            for item in live:
                needed = needed | self._used(item, scope) | keys | _references(group.order_by)
        self.scan(node.input_scan, needed, passed, scope)

    def with_scan(self, node: Message, needed: set[int], ranges: Ranges, scope: _Scope) -> None:
        self.scan(node.query, needed, ranges, scope.within(node.with_entry_list))

    def with_reference(self, node: Message, needed: set[int], ranges: Ranges, scope: _Scope) -> None:
        query, around = scope.entries[node.with_query_name]
        self._renamed(query, node.parent.column_list, tree.ancestor(tree.inner(query), "column_list"), needed, ranges, around)

    def set_operation(self, node: Message, needed: set[int], ranges: Ranges, scope: _Scope) -> None:
        outside = node.parent.column_list
        if node.op_type != _UNION_ALL:
            needed = {column.column_id for column in outside}
        for item in node.input_item_list:
            self._renamed(item.scan, outside, item.output_column_list, needed, ranges, scope)

    def array(self, node: Message, needed: set[int], ranges: Ranges, scope: _Scope) -> None:
        for expression in node.array_expr_list:
            needed = needed | self._used(expression, scope)
        needed = needed | self._used(node.join_expr, scope)
        if node.HasField("input_scan"):
            self.scan(node.input_scan, needed, ranges, scope)

    def ordered(self, node: Message, needed: set[int], ranges: Ranges, scope: _Scope) -> None:
        self.scan(node.input_scan, needed | _references(node.order_by_item_list), ranges, scope)

    def limited(self, node: Message, needed: set[int], ranges: Ranges, scope: _Scope) -> None:
        self.scan(node.input_scan, needed, {}, scope)

    def nothing(self, node: Message, needed: set[int], ranges: Ranges, scope: _Scope) -> None:
        """A scan that reads no table: a single row, or a recursion's reference to itself."""

    # Parts.

    def _renamed(self, scan: Message, outside: Any, inside: Any, needed: set[int], ranges: Ranges, scope: _Scope) -> None:
        """Follow a scan whose columns have other ids outside than inside, in the same order."""
        pairs = {out.column_id: own.column_id for out, own in zip(outside, inside, strict=True)}
        below = {pairs[number]: limits for number, limits in ranges.items() if number in pairs}
        self.scan(scan, {pairs[number] for number in needed if number in pairs}, below, scope)

    def _used(self, expression: Message, scope: _Scope) -> set[int]:
        """The columns that an expression uses; records the reads of its subqueries."""
        for subquery in _subqueries(expression):
            self.scan(subquery.subquery, _outputs(subquery.subquery), {}, scope)
        return _references(expression)

    def _relation(self, table_scan: Message) -> Relation:
        return self._project.find(table_scan.table.full_name.split("."))

    def _note(self, relation: Relation, columns: set[str], ranges: Mapping[str, list[Range]]) -> None:
        read = self.found.setdefault(relation.key, Read())
        read.columns |= columns
        for limits in ranges.get(str(relation.facts.get("timePartitioning", {}).get("field")), [{}]):
            if limits not in read.ranges:
                read.ranges.append(dict(limits))

    def _ranges(self, condition: Message) -> dict[int, list[Range]]:
        """Column → the limits that follow from a condition."""
        found: dict[int, list[Range]] = {}
        call = tree.call_of(condition)
        if call is None:
            return found
        name = tree.function_of(call)
        if name == "$and":
            for argument in call.argument_list:
                found = both(found, self._ranges(argument))
        elif name == "$or":
            first, *others = (self._ranges(argument) for argument in call.argument_list)
            found = reduce(either, others, first)
        elif name == "$is_null":
            limit(found, call.argument_list[0], {"from": NO_VALUE, "to": NO_VALUE})
        elif name == "$between":
            column, low, high = call.argument_list
            ends = {"from": self._constant(low), "to": self._constant(high)}
            limit(found, column, {end: value for end, value in ends.items() if value is not None})
        elif name in ENDS:
            left, right = call.argument_list
            for column, other, ends in ((left, right, ENDS[name]), (right, left, tuple(MIRRORED[e] for e in ENDS[name]))):
                # A value before midnight lies on the day before.
                before = name == ("$less" if column is left else "$greater")
                value = self._constant(other, before)
                if value is not None:
                    limit(found, column, dict.fromkeys(ends, value))
        return found

    def _constant(self, expression: Message, before: bool = False) -> str | None:
        """The value of a constant expression as an ISO date; UNKNOWN if the statement does not show it; None if it depends on rows.

        Args:
            before: return the last day that begins before the value.
        """
        if _references(expression) or next(_subqueries(expression), None) is not None:
            return None
        node = tree.inner(expression)
        if node.DESCRIPTOR.name == "ResolvedParameterProto":
            return str(self._parameters.get(node.name, UNKNOWN))[:10]
        if node.DESCRIPTOR.name == "ResolvedLiteralProto":
            return day(node.value.value, before)
        return UNKNOWN


_STATEMENTS: dict[str, Callable[[_Reader, Message], None]] = {
    "ResolvedQueryStmtProto": _Reader.query,
    "ResolvedCreateTableAsSelectStmtProto": _Reader.query,
    "ResolvedInsertStmtProto": _Reader.insert,
    "ResolvedMergeStmtProto": _Reader.merge,
    "ResolvedUpdateStmtProto": _Reader.change,
    "ResolvedDeleteStmtProto": _Reader.change,
}
_SCANS: dict[str, Callable[[_Reader, Message, set[int], Ranges, _Scope], None]] = {
    "ResolvedTableScanProto": _Reader.table,
    "ResolvedProjectScanProto": _Reader.project,
    "ResolvedFilterScanProto": _Reader.filter,
    "ResolvedJoinScanProto": _Reader.join,
    "ResolvedAggregateScanProto": _Reader.aggregate,
    "ResolvedAnalyticScanProto": _Reader.analytic,
    "ResolvedWithScanProto": _Reader.with_scan,
    "ResolvedWithRefScanProto": _Reader.with_reference,
    "ResolvedSetOperationScanProto": _Reader.set_operation,
    "ResolvedArrayScanProto": _Reader.array,
    "ResolvedOrderByScanProto": _Reader.ordered,
    "ResolvedLimitOffsetScanProto": _Reader.limited,
    "ResolvedSingleRowScanProto": _Reader.nothing,
    "ResolvedRecursiveRefScanProto": _Reader.nothing,
}


def _references(nodes: Any) -> set[int]:
    """The columns that a node, or any of several, refers to."""
    return set().union(*map(tree.references, [nodes] if isinstance(nodes, Message) else nodes))


def _outputs(wrapper: Message) -> set[int]:
    return {column.column_id for column in tree.ancestor(tree.inner(wrapper), "column_list")}


def _subqueries(expression: Message) -> Iterator[Message]:
    """The outermost subqueries of an expression."""
    stack = [expression]
    while stack:
        node = stack.pop()
        if node.DESCRIPTOR.name == "ResolvedSubqueryExprProto":
            yield node
        else:
            stack.extend(tree.children(node))


def _scans_below(node: Message) -> Iterator[Message]:
    """The nearest scans below a node."""
    stack = tree.children(node)
    while stack:
        item = stack.pop()
        if item.DESCRIPTOR.name == "AnyResolvedScanProto":
            yield item
        else:
            stack.extend(tree.children(item))
