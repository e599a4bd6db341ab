"""The tables of cost and limits as Markdown, for the terminal and for docs/cost.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from include.cost.limits import Limit, limits
from include.cost.prices import DOLLARS_PER_STORED_GIB, GIB, MIB, TIB, Bill
from include.cost.sizes import NO_VALUE, Size
from include.cost.work import DAYS_PER_MONTH, NIGHTLY, Nodes, Work, by_kind, dearest, grown

FACTORS = (1, 100, 10_000)
_UNITS = (("TiB", TIB), ("GiB", GIB), ("MiB", MIB), ("KiB", 1024))
BEGIN, END = "<!-- counted by make cost -->", "<!-- end of what make cost counted -->"


def page(works: Sequence[Work], sizes: Mapping[str, Size], nodes: Nodes, what: str, cap: int | None) -> str:
    """All tables.

    Args:
        works: everything that runs on a schedule.
        sizes: `dataset.table` → size, today.
        nodes: the nodes of the dbt project.
        what: the company or project that has these sizes.
        cap: bytes that one query may bill.
    """
    growing = nodes.growing()
    larger = {factor: grown(sizes, factor, growing) for factor in FACTORS}
    events = sizes.get("raw_product.usage_events", Size(0, {})).rows
    raw = sum(size.bytes for name, size in sizes.items() if name.startswith("raw_"))
    stored = sum(size.bytes for size in sizes.values())
    parts = [
        f"Sizes: {what}. {len(sizes):,} tables, {_bytes(stored)} logical, of which raw {_bytes(raw)}; {events:,} usage events.",
        "### One run and a month",
        _once(works, larger),
        _month(works, larger),
        "### Jobs of a nightly run, at today's size",
        _kinds(works[0], sizes, nodes),
        "### Largest costs of a month",
        *(_dearest(works, larger[factor], nodes, factor) for factor in FACTORS),
        "### Limits",
        _limits(limits(works, sizes, cap)),
        "### Partitions that incremental models read",
        _filters(works, nodes),
    ]
    return "\n\n".join(parts) + "\n"


def write(path: Path, text: str) -> None:
    """Write the text into a page, between its two marks."""
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    path.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


def _once(works: Sequence[Work], larger: Mapping[int, Mapping[str, Size]]) -> str:
    head = [
        "each time",
        "jobs",
        "tables referred to",
        *(f"billed × {factor:,}" for factor in larger),
        *(f"$ × {factor:,}" for factor in larger),
    ]
    rows = []
    for work in works:
        bills = [work.bill(sizes) for sizes in larger.values()]
        rows.append(
            [
                work.name,
                f"{len(work.jobs):,}",
                f"{bills[0].tables:,}",
                *(_bytes(b.bytes) for b in bills),
                *(_dollars(b.dollars) for b in bills),
            ]
        )
    return _table(head, rows)


def _month(works: Sequence[Work], larger: Mapping[int, Mapping[str, Size]]) -> str:
    head = [f"in {DAYS_PER_MONTH} days", "times a day", *(f"$ × {factor:,}" for factor in larger)]
    monthly = {
        work.name: [work.bill(sizes).dollars * work.per_day * DAYS_PER_MONTH for sizes in larger.values()] for work in works
    }
    rows = [[work.name, f"{work.per_day:g}", *map(_dollars, monthly[work.name])] for work in works]
    stored = [sum(size.bytes for size in sizes.values()) / GIB * DOLLARS_PER_STORED_GIB for sizes in larger.values()]
    rows.append(["storage (active, logical)", "", *map(_dollars, stored)])
    totals = [sum(column) + kept for column, kept in zip(zip(*monthly.values(), strict=True), stored, strict=True)]
    rows.append(["**all**", "", *(f"**{_dollars(total)}**" for total in totals)])
    return _table(head, rows)


def _kinds(work: Work, sizes: Mapping[str, Size], nodes: Nodes) -> str:
    assert work.name == NIGHTLY
    rows = [
        [kind, f"{count:,}", f"{total.tables:,}", _bytes(total.bytes), _bytes(total.processed)]
        for kind, count, total in by_kind(work, sizes, nodes)
    ]
    return _table(["jobs of", "jobs", "tables referred to", "billed", "read"], rows)


def _dearest(works: Sequence[Work], sizes: Mapping[str, Size], nodes: Nodes, factor: int) -> str:
    total = sum((work.bill(sizes).times(work.per_day * DAYS_PER_MONTH) for work in works), Bill())
    rows = [
        [f"`{name}`", _bytes(part.bytes), _dollars(part.dollars), f"{part.bytes / total.bytes:.1%}" if total.bytes else ""]
        for name, part in dearest(works, sizes, nodes)
    ]
    return _table([f"at {factor:,} times today's size", "billed in a month", "$", "of all"], rows)


def _limits(found: Iterable[Limit]) -> str:
    rows = [
        [
            limit.name,
            _amount(limit.allowed, limit.name),
            _amount(limit.today, limit.name),
            f"`{limit.of}`" if limit.of else "",
            f"{limit.factor:,.0f} times today's size" if limit.factor is not None else "does not grow with the company",
        ]
        for limit in found
    ]
    return _table(["limit", "allowed", "needed today", "by", "met at"], rows)


def _filters(works: Sequence[Work], nodes: Nodes) -> str:
    """The partitions that each statement of an incremental model reads of its own table."""
    rows = []
    for job in (job for work in works for job in work.jobs):
        node = nodes.of(job)
        if node is None or node["config"].get("materialized") != "incremental":
            continue
        table = f"{node['schema']}.{node['alias']}"
        for statement in job["statements"]:
            if statement["target"] == table and statement["kind"] in {"MERGE", "DELETE", "UPDATE", "INSERT"}:
                row = [f"`{node['name']}`", statement["kind"], _of_partitions(statement["billed"].get(table))]
                if row not in rows:
                    rows.append(row)
    return _table(["model", "statement", "partitions of its own table that it reads"], sorted(rows))


def _of_partitions(read: Mapping[str, Any] | None) -> str:
    if read is None:
        return "none"
    return "; ".join(map(_range, read["ranges"]))


def _range(limits: Mapping[str, str]) -> str:
    if not limits:
        return "all"
    if limits.get("from") == NO_VALUE:
        return "rows without a value"
    return " to ".join(limits.get(end, "…") for end in ("from", "to"))


def _amount(value: float, name: str) -> str:
    return (
        _bytes(value) if name.startswith("bytes") else f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"
    )


def _bytes(value: float) -> str:
    unit, size = next(((unit, size) for unit, size in _UNITS if value >= size), _UNITS[-1])
    return f"{value / size:,.1f} {unit}" if value < 100 * size else f"{value / size:,.0f} {unit}"


def _dollars(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}" if value >= 0.1 else f"{value:.4f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
