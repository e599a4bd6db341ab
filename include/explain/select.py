"""What one SELECT needs of its sources for some rows of its result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from include.explain.conditions import (
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


@dataclass
class Select:
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


def of_select(select: Select, demand: Demand, prunes: bool) -> Iterator[tuple[exp.Expression | Scope, Demand]]:
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
    select: Select, condition: exp.Expression, outputs: Mapping[str, exp.Expression], windows: Sequence[exp.Window]
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


def _spread(select: Select, given: Sequence[exp.Expression], outer: set[str]) -> dict[str, list[exp.Expression]] | None:
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
