"""The mutants of small texts, and how a mark becomes a query."""

from __future__ import annotations

import jinja2
import pytest

from tests.mutation.mutants import OPERATORS, Mutant, mutants
from tests.mutation.project import Place, UnitTest, marked, sources


def changed(sql: str) -> set[str]:
    """The text of every mutant, with single spaces."""
    return {" ".join(f"{sql[: mutant.start]}{mutant.after}{sql[mutant.end :]}".split()) for mutant in mutants(sql)}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a < b", {"a <= b"}),
        ("a >= b", {"a > b"}),
        ("a != b", {"a = b"}),
        ("a + b", {"a - b"}),
        ("f(a => b)", set()),
        ("(-a)", set()),
        ("a or b", {"a and b"}),
        ("a between b and c", set()),
        ("a is not null", {"a is null"}),
        ("true", {"false"}),
        ("interval 7 day", {"interval 8 day", "interval 6 day"}),
        ("numeric '1' * 0.5", set()),
        ("cast(a as numeric(38, 9))", set()),
        ("min(a)", {"max(a)"}),
        ("count(a)", {"count(distinct a)"}),
        ("count(distinct a)", {"count( a)"}),
        ("count(*)", set()),
        ("coalesce(a, false)", {"coalesce(a, true)", "coalesce(a, null)"}),
        ("coalesce(f(a, b), c)", {"coalesce(f(a, b), null)"}),
        ("union all", {"union distinct"}),
        ("from a left join b", {"from a inner join b"}),
        ("from a join b on a.x = b.x", {"from a join b on a.x <> b.x"}),
        ("order by a, b desc", {"order by a desc, b desc", "order by a, b asc"}),
        ("order by a nulls last", {"order by a desc nulls last", "order by a nulls first"}),
    ],
)
def test_every_operator(sql: str, expected: set[str]) -> None:
    assert changed(sql) == expected


def test_a_condition_ends_before_a_macro_that_stands_alone_and_before_the_next_clause() -> None:
    sql = "join b on b.x = a.x and {{ alias }}.y in (select y from c)\n{{ join_more('a') }}\nwhere {{ ok }}\ngroup by z"
    dropped = {sql[mutant.start : mutant.end] for mutant in mutants(sql) if mutant.operator == "condition"}
    assert dropped == {"b.x = a.x", "{{ alias }}.y in (select y from c)", "{{ ok }}"}


def test_comments_texts_and_jinja_stay() -> None:
    assert (
        mutants("{# a < 1 #}{% set x = 1 %}-- b < 2 and true\n/* c = 3 */ 'd = 4' \"e = 5\" `f = 6` {{ g(7 < 8, true) }}") == []
    )


def test_a_mark_becomes_the_mutant_wherever_a_macro_or_a_loop_repeats_it() -> None:
    sql = "select {% for x in ['a', 'b'] %}{{ x }} < 1, {% endfor %}c"
    mutant = Mutant("boundary", sql.index("<"), sql.index("<") + 1, "<=")
    place = Place("dbt/models/m.sql", "m", 1, sql, "<", "ab.0", mutant)
    compiled = jinja2.Template(marked(sql, {(mutant.start, mutant.end): "ab.0", (0, 6): "ab.1"})).render()
    test = UnitTest("m", "case", ("c",), compiled)
    assert test.sql == "select c from (\nselect a < 1, b < 1, c\n) as tested"
    assert str(test.mutated(place)).replace("  ", " ") == "select c from (\nselect a <= 1, b <= 1, c\n) as tested"


def test_the_project_has_places_for_every_operator() -> None:
    assert {mutant.operator for path in sources() for mutant in mutants(path.read_text(encoding="utf-8"))} == set(OPERATORS)
