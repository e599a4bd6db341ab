"""docs/private-apis.md names the pinned versions: an upgrade fails here until the rows of that package have been read again."""

from __future__ import annotations

import re

import pytest

from include.settings import ROOT

VERSIONS = re.findall(r"^\| ([a-z-]+) \| ([\d.]+) \|$", (ROOT / "docs" / "private-apis.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize(("package", "version"), VERSIONS)
def test_the_version_is_the_pinned_one(package: str, version: str) -> None:
    pins = "".join(path.read_text() for path in ROOT.glob("requirements*.txt"))
    # The local warehouse's environment may have another version of a package than the platform's.
    assert version in re.findall(rf"^{package}==([\d.]+)", pins, re.MULTILINE), f"read the rows of {package} again"


def test_every_test_on_the_page_exists() -> None:
    page = (ROOT / "docs" / "private-apis.md").read_text()
    named = re.findall(r"`(tests/[\w/.]+)`", page)
    assert len(VERSIONS) > 5 and named
    assert [name for name in named if not (ROOT / name).exists()] == []
