"""The fuzzer's promises hold for all that it has found, and for what a short run of it finds."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.cases import SEEDS, found
from tests.fuzz.targets import TARGETS

RUNS = 20_000  # inputs of a short run


@pytest.mark.parametrize("name", TARGETS)
def test_the_cases_of_the_tests(name: str) -> None:
    for data in SEEDS[name]:
        TARGETS[name](data)


CASES = [(name, data) for name in TARGETS for data in found(name).values()]
NAMES = [f"{name}-{case}" for name in TARGETS for case in found(name)]


@pytest.mark.parametrize(("name", "data"), CASES, ids=NAMES)
def test_what_was_found(name: str, data: bytes) -> None:
    TARGETS[name](data)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="atheris has no package for this machine")
@pytest.mark.parametrize("name", TARGETS)
def test_a_short_run_finds_nothing(name: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    before = found(name)
    run = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", name, str(tmp_path), f"-runs={RUNS}", "-seed=1", "-timeout=5"],
        cwd=pytestconfig.rootpath,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=55,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert found(name) == before
    assert f"Done {RUNS} runs" in run.stderr
