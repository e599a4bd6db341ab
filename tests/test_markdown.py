"""Markdown prose has no line above 160 characters. Tables and code blocks cannot be wrapped."""

from __future__ import annotations

import re

from tests.test_links import pages

LONGEST = 160
#: `make cost` writes into this page.
WRITTEN = {"cost.md"}
_CODE = re.compile(r"```.*?```", re.DOTALL)


def long_lines(text: str) -> list[str]:
    prose = _CODE.sub("", text).splitlines()
    return [line for line in prose if len(line) > LONGEST and not line.lstrip().startswith("|")]


def test_prose_is_wrapped() -> None:
    found = {
        str(page): long for page in pages() if page.name not in WRITTEN and (long := long_lines(page.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_a_long_line_is_found() -> None:
    text = f"{'a' * 161}\n{'b' * 160}\n| {'c' * 170} |\n```\n{'d' * 170}\n```\n"
    assert long_lines(text) == ["a" * 161]
