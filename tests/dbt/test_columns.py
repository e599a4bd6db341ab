"""The SQL of a model writes out every column, so that a search for the name finds it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from include.settings import ROOT

MODELS = ROOT / "dbt" / "models"
CTE = re.compile(r"^(\w+) as \(\n(.*?)^\)", re.DOTALL | re.MULTILINE)
IMPORT = re.compile(r"\s*select \*\s+from \{\{ ref\('\w+'\) \}\}\s*")
COMMENT = re.compile(r"--[^\n]*|\{#.*?#\}", re.DOTALL)
LOOP = re.compile(r"\{%")
#: A star that stands for columns. The star of a product or of `count(*)` has something before it.
STAR = re.compile(r"(?:^|,|\.|\bselect\b|\bdistinct\b|\})\s*\*(?=\s*(?:$|,|\bexcept\b|\breplace\b|\bfrom\b))", re.MULTILINE)


def starred(sql: str) -> list[str]:
    """The CTEs that select a star, without imports of a whole relation."""
    ctes = CTE.findall(COMMENT.sub("", sql))
    return [name for name, body in ctes if STAR.search(body) and not IMPORT.fullmatch(body)]


@pytest.mark.parametrize("path", sorted(MODELS.rglob("*.sql")), ids=lambda path: path.stem)
def test_every_column_is_written_out(path: Path) -> None:
    sql = path.read_text(encoding="utf-8")
    if path.parent.name == "clean":
        # A clean view has the columns of its staging view, whichever they are.
        return
    if path.is_relative_to(MODELS / "history"):
        assert not STAR.search(sql)
        return
    assert starred(sql) == [], f"write out the columns of these CTEs of {path.relative_to(ROOT)}"
    (final,) = [body for name, body in CTE.findall(sql) if name == "final"]
    assert not LOOP.search(final), "write out the columns of `final`"
    assert re.search(r"\nselect \*\s+from final\s*$", sql)


@pytest.mark.parametrize(
    "body",
    [
        "    select *\n    from orders\n",
        "    -- All columns.\n    select *\n    from orders\n",
        "    select distinct *\n    from orders\n",
        "    select\n        *,\n        1 as one\n    from orders\n",
        "    select\n        1 as one,\n        *\n    from orders\n",
        "    select\n        {%- for name in names %}\n        {{ name }},\n        {%- endfor %}\n        *\n    from orders\n",
        "    select\n        orders.*,\n        1 as one\n    from orders\n",
        "    select orders.* except (paid_at)\n    from orders\n",
        "    select *\n    from {{ ref('fct_orders') }}\n    where is_paid\n",
    ],
)
def test_a_star_is_found(body: str) -> None:
    assert starred(f"with\n\norders as (\n{body}),\n\nfinal as (\n    select id\n    from orders\n)\n") == ["orders"]


@pytest.mark.parametrize(
    "body",
    [
        "    select *\n    from {{ ref('fct_orders') }}\n",
        "    select\n        count(*) as orders,\n        price\n        * quantity as amount\n    from orders\n",
        "    -- not select *\n    select id\n    from orders  -- nor *\n",
    ],
)
def test_an_import_and_a_product_are_no_star(body: str) -> None:
    assert starred(f"with\n\norders as (\n{body})\n") == []
