"""Played nights: the expensive fixtures of the pipeline tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.local.home import Company
from tests.pipeline.nights import Nights

FIRST, SECOND = "2026-10-01", "2026-10-02"


@pytest.fixture(scope="session", autouse=True)
def local_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The stack's folder for these tests."""
    folder = tmp_path_factory.mktemp("local")
    os.environ["LOCAL_HOME"] = str(folder)
    yield folder
    del os.environ["LOCAL_HOME"]
