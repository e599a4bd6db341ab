"""Which rows of the tables that a query reads can enter one row of its result.

A condition on the result is carried down to the tables: through CTEs, groups, windows, unions and joins. What it becomes on the way is never
narrower than the rows that count; where a step hides the connection, a part of the condition is lost and the table keeps more rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.optimizer.simplify import simplify

from include.explain.conditions import DIALECT, Demand, text_of
from include.explain.select import Select, of_select


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
        yield from of_select(Select(scope), demand, prunes)


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
