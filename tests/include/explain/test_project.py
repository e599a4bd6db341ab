"""The compiled dbt project behind an explanation."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from include.explain import ExplainError, project
from include.settings import settings


def test_a_compilation_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "_COMPILE_SECONDS", 0.1)
    with pytest.raises(ExplainError, match=r"`dbt compile` did not end within 0.1 s"):
        project.compiled_project(datetime(1999, 1, 1, tzinfo=UTC))
    left = settings().state_dir / "explain"
    assert [path.name for path in left.iterdir() if path.is_dir()] == [], "its folder is deleted"
