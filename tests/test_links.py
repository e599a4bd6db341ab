"""Every relative link of the documentation leads to a file and a heading, and every page that code names exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from include.settings import ROOT

_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z]+:")
_NAMED_PAGE = r"docs/[A-Za-z0-9_/.-]+\.md"


def git(*arguments: str) -> list[str]:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, cwd=ROOT).stdout.splitlines()


def pages() -> list[Path]:
    return [ROOT / name for name in git("ls-files", "--", "*.md")]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "", heading)).lower().replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    links = [link for link in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))) if not _ELSEWHERE.match(link)]
    broken = []
    for link in links:
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert broken_links(page) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A `key` of [a table](there.md)\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Here\n[file](there.md) [heading](there.md#a-key-of-a-table) [above](#here) [site](https://example.org) `[code](gone.md)`\n"
        "[no file](gone.md) [no heading](there.md#a-key) [none above](#there)\n"
    )
    assert broken_links(page) == ["gone.md", "there.md#a-key", "#there"]


def test_every_page_that_is_named_exists() -> None:
    named = dict(line.split(":", 1)[::-1] for line in git("grep", "--only-matching", "--extended-regexp", "-I", _NAMED_PAGE))
    assert len(named) > 10
    assert {page: file for page, file in named.items() if not (ROOT / page).exists()} == {}
