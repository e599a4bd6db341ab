"""Which rows of the tables that a query reads can enter one row of its result.

A condition on the result is carried down to the tables: through CTEs, groups, windows, unions and joins. What it becomes on the way is never
narrower than the rows that count; where a step hides the connection, a part of the condition is lost and the table keeps more rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.optimizer.simplify import simplify

from include.explain.conditions import (
    DIALECT,
    Demand,
    bound,
    columns_of,
    conjuncts,
    is_false,
    is_key,
    is_strict,
    substituted,
    text_of,
    without_table,
)


def demands_of(query: exp.Expression, wanted: Sequence[Demand], prunes: bool = True) -> dict[str, list[Demand]]:
    """Table, `dataset.name` → what a query needs of it for the wanted rows of its result. Tables that it does not need are left out.

    Args:
        query: the query, with every column qualified and every star expanded.
        wanted: the needed rows and columns of the result.
        prunes: whether a left join of which no column is needed is left out. It must then match at most one row.
    """
    found: dict[str, list[Demand]] = {}
    pending: dict[int, list[Demand]] = {}
    scopes = list(traverse_scope(query))
    pending[id(scopes[-1])] = list(wanted)
    if any(clause.args.get("recursive") for clause in query.find_all(exp.With)):
        # A row of a recursion may come from any row of an earlier round.
        return {f"{table.db}.{table.name}": [Demand((), frozenset())] for table in query.find_all(exp.Table) if table.db}
    for scope in reversed(scopes):
        for demand in _merged(pending.get(id(scope), ())):
            for source, needed in _below(scope, demand, prunes):
                if isinstance(source, Scope):
                    pending.setdefault(id(source), []).append(needed)
                elif isinstance(source, exp.Table) and source.db:
                    found.setdefault(f"{source.db}.{source.name}", []).append(needed)
    return {table: _merged(demands) for table, demands in found.items()}


def condition_of(demands: Sequence[Demand]) -> exp.Expression:
    """The rows that at least one demand names, as one condition."""
    if not demands:
        return exp.false()
    texts = [{text_of(condition): condition for condition in demand.conditions} for demand in demands]
    shared = [condition for text, condition in texts[0].items() if all(text in other for other in texts)]
    common = {text_of(condition) for condition in shared}
    rest = [[condition for text, condition in each.items() if text not in common] for each in texts]
    options = [simplify(exp.or_(*(exp.and_(*each) for each in rest)), dialect=DIALECT)] if all(rest) else []
    return exp.and_(*shared, *options) if shared or options else exp.true()


def tightest(demands: Sequence[Demand]) -> list[Demand]:
    """The demands without those that only lack conditions of another one, such as the demand of a calendar that begins with the first row."""
    texts = [{text_of(condition) for condition in demand.conditions} for demand in demands]
    best = max((len(text) for text in texts), default=0)
    return [
        demand
        for demand, text in zip(demands, texts, strict=True)
        if len(text) == best or not any(text < other for other in texts)
    ]


def _merged(demands: Iterable[Demand]) -> list[Demand]:
    """One demand per set of conditions."""
    by_text: dict[frozenset[str], Demand] = {}
    for demand in demands:
        key = frozenset(map(text_of, demand.conditions))
        known = by_text.get(key)
        by_text[key] = Demand(demand.conditions, demand.columns | (known.columns if known else frozenset()))
    return list(by_text.values())


def _below(scope: Scope, demand: Demand, prunes: bool) -> Iterator[tuple[exp.Expression | Scope, Demand]]:
    node = scope.expression
    if isinstance(node, exp.SetOperation):
        yield from _of_set(scope, demand)
    elif isinstance(node, exp.Select):
        yield from _of_select(_Select(scope), demand, prunes)


def _of_set(scope: Scope, demand: Demand) -> Iterator[tuple[Scope, Demand]]:
    node = scope.expression
    names = node.named_selects
    for part in scope.set_operation_scopes:
        renamed = dict(zip(names, part.expression.named_selects, strict=False))
        columns = demand.columns if not node.args.get("distinct") else frozenset(names)
        conditions = tuple(
            condition.copy().transform(lambda n, r=renamed: exp.column(r.get(n.name, n.name)) if isinstance(n, exp.Column) else n)
            for condition in demand.conditions
        )
        yield part, Demand(conditions, frozenset(renamed.get(name, name) for name in columns))


@dataclass
class _Select:
    """One SELECT, with the parts that the analysis asks for."""

    scope: Scope
    node: exp.Select = field(init=False)

    def __post_init__(self) -> None:
        self.node = self.scope.expression

    @property
    def outputs(self) -> dict[str, exp.Expression]:
        return {item.alias_or_name: item.unalias() for item in self.node.selects}

    @property
    def sources(self) -> dict[str, exp.Expression | Scope]:
        return {name: source for name, (_, source) in self.scope.selected_sources.items()}

    @property
    def keys(self) -> set[str]:
        group = self.node.args.get("group")
        return {text_of(key) for key in group.expressions} if group else set()

    @property
    def is_grouped(self) -> bool:
        found = any(
            call.parent_select is self.node and not call.find_ancestor(exp.Window) for call in self.node.find_all(exp.AggFunc)
        )
        return bool(self.node.args.get("group")) or found

    @property
    def joins(self) -> list[exp.Join]:
        return self.node.args.get("joins") or []

    def windows_in(self, expressions: Iterable[exp.Expression]) -> list[exp.Window]:
        named = {window.name: window for window in self.node.args.get("windows") or ()}
        calls = [call for each in expressions for call in each.find_all(exp.Window)]
        return [named.get(call.alias, call) if call.alias else call for call in calls]


def _of_select(select: _Select, demand: Demand, prunes: bool) -> Iterator[tuple[exp.Expression | Scope, Demand]]:
    outputs, node = select.outputs, select.node
    names = demand.columns | {column.name for condition in demand.conditions for column in condition.find_all(exp.Column)}
    if node.args.get("distinct"):
        names = frozenset(outputs)
    used = [outputs[name] for name in names if name in outputs]
    clauses = [node.args[name] for name in ("where", "group", "having", "qualify") if node.args.get(name)]
    windows = select.windows_in([*used, *(clauses if node.args.get("qualify") else ())])
    given = [reached for condition in demand.conditions if (reached := _reach(select, condition, outputs, windows)) is not None]
    given = [part for condition in given for part in conjuncts(condition)]
    if any(is_false(condition) for condition in given):
        return
    needed = columns_of([*used, *clauses, *windows, *(join.args["on"] for join in select.joins if join.args.get("on"))])
    left = {join.alias_or_name for join in select.joins if join.side == "LEFT"}
    outer = {name for name in select.sources if any(join.side in {"RIGHT", "FULL"} for join in select.joins)} | left
    value = columns_of([*used, *clauses, *windows])
    pruned = {name for name in left if prunes and name not in value}
    # A pruned join may carry another pruned one, but not one that is needed.
    pruned -= {
        name
        for join in select.joins
        if join.alias_or_name not in pruned and join.args.get("on")
        for name in columns_of([join.args["on"]])
    }
    by_source = _spread(select, given, outer)
    if by_source is None:
        return
    for name, source in select.sources.items():
        if name not in pruned:
            yield source, Demand(tuple(by_source.get(name, ())), frozenset(needed.get(name, ())))
    for inner in select.scope.subquery_scopes:
        yield inner, Demand((), frozenset(inner.expression.named_selects))


def _reach(
    select: _Select, condition: exp.Expression, outputs: Mapping[str, exp.Expression], windows: Sequence[exp.Window]
) -> exp.Expression | None:
    """A condition on the result as one on the sources; None if the SELECT hides the connection."""
    columns = [column.name for column in condition.find_all(exp.Column)]
    expressions = [outputs.get(name) for name in columns]
    if any(each is None or each.find(exp.AggFunc, exp.Window, exp.Subquery, exp.Select) for each in expressions):
        return None
    if select.is_grouped and not all(is_key(each, select.keys) for each in expressions if each is not None):
        return None
    blocking = [
        window
        for window in windows
        if not all(
            is_key(each, {text_of(key) for key in window.args.get("partition_by") or ()})
            for each in expressions
            if each is not None
        )
    ]
    if blocking:
        weaker = _up_to(condition, outputs, blocking)
        if weaker is None:
            return None
        condition = weaker
    return substituted(condition, outputs)


def _up_to(
    condition: exp.Expression, outputs: Mapping[str, exp.Expression], windows: Sequence[exp.Window]
) -> exp.Expression | None:
    """`column <= value` instead of `column = value`, if the windows are over earlier rows of the column only."""
    if not isinstance(condition, exp.EQ) or not isinstance(condition.this, exp.Column):
        return None
    wanted = text_of(outputs[condition.this.name])
    if all(_is_over_earlier(window, wanted) for window in windows):
        return exp.LTE(this=condition.this.copy(), expression=condition.expression.copy())
    return None


def _is_over_earlier(window: exp.Window, wanted: str) -> bool:
    order, frame = window.args.get("order"), window.args.get("spec")
    if order is None or not order.expressions or isinstance(window.this, exp.Lead | exp.LastValue):
        return False
    first = order.expressions[0]
    ends = (
        frame is None
        or str(frame.args.get("end_side")).upper() == "PRECEDING"
        or str(frame.args.get("end")).upper() == "CURRENT ROW"
    )
    return text_of(first.this) == wanted and not first.args.get("desc") and bool(ends)


def _spread(select: _Select, given: Sequence[exp.Expression], outer: set[str]) -> dict[str, list[exp.Expression]] | None:
    """Source → conditions on its rows alone, from the given ones, WHERE and the joins; None if no row can count."""
    found: dict[str, dict[str, exp.Expression]] = {}
    # Column → its value: in every row that counts, or in the rows that a left join matches.
    sure: dict[str, exp.Expression] = {}
    matched: dict[str, exp.Expression] = {}
    where = select.node.args.get("where")
    # Condition → the sources that it limits. A condition of a left join limits the joined side only.
    rules: list[tuple[exp.Expression, set[str] | None]] = [(condition, None) for condition in given]
    rules += [(condition, None) for condition in (conjuncts(where.this) if where else ())]
    for join in select.joins:
        if join.args.get("on") and join.side in {"", "LEFT"}:
            limited = {join.alias_or_name} if join.side == "LEFT" else None
            rules += [(condition, limited) for condition in conjuncts(join.args["on"])]
    for _ in range(4):
        before = len(matched)
        for condition, limited in rules:
            bare = bound(condition, sure if limited is None else matched)
            names = {column.table for column in bare.find_all(exp.Column)}
            if not names:
                if limited is None and is_false(bare):
                    return None
                continue
            if len(names) > 1 or bare.find(exp.Select, exp.AggFunc, exp.Window):
                continue
            (name,) = names
            if name not in select.sources or (limited is not None and name not in limited):
                continue
            if limited is None and name in outer and not is_strict(bare):
                continue
            found.setdefault(name, {})[text_of(bare)] = without_table(bare)
            if isinstance(bare, exp.EQ):
                for one, other in ((bare.this, bare.expression), (bare.expression, bare.this)):
                    if isinstance(one, exp.Column) and not other.find(exp.Column):
                        matched.setdefault(text_of(one), other)
                        if limited is None:
                            sure.setdefault(text_of(one), other)
        if len(matched) == before:
            break
    return {name: list(conditions.values()) for name, conditions in found.items()}
