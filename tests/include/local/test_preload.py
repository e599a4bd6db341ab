"""The modules that Airflow's components import before they fork, and the settings of the forked processes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from include.settings import ROOT

PROBE = """
import gc, os, sys
from include.local.preload import preload
preload(sys.argv[1:], platform="platform" in sys.argv)
wanted = ["cosmos.operators.watcher", "great_expectations.expectations", "include.ingestion.loading"]
print([name in sys.modules for name in wanted], gc.isenabled(), flush=True)
before = (os.getpriority(os.PRIO_PROCESS, 0), gc.get_threshold())
if os.fork() == 0:
    print(os.getpriority(os.PRIO_PROCESS, 0) - before[0], gc.get_threshold() > before[1], flush=True)
    os._exit(0)
os.wait()
"""


@pytest.mark.parametrize(
    ("component", "imported", "child"),
    [
        (["scheduler", "platform"], [True, True, True], "5 True"),
        (["scheduler"], [True, True, False], "5 True"),
        (["dag-processor", "platform"], [True, False, False], "0 False"),
        (["triggerer", "platform"], [False, False, False], "0 False"),
    ],
)
def test_a_component_imports_the_modules_that_its_children_need(component: list[str], imported: list[bool], child: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROBE, *component], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.splitlines()[-2:] == [f"{imported} True", child]
