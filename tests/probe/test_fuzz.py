"""The fuzzer's promises hold for all that it has found, and for what a short run of it finds."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from testing.fuzz.cases import SEEDS, found
from testing.fuzz.targets import TARGETS

RUNS = 20_000  # inputs of a short run


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_that_the_fuzzer_found_breaks_a_parser(name: str) -> None:
    for data in [*SEEDS[name], *found(name)]:
        TARGETS[name](data)


@pytest.mark.release
@pytest.mark.skipif(platform.machine() != "x86_64", reason="atheris has no package for this machine")
@pytest.mark.parametrize("name", TARGETS)
def test_a_short_run_finds_nothing(name: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "testing.fuzz", name, str(tmp_path / name), f"-runs={RUNS}", "-seed=1", "-timeout=5"],
        cwd=pytestconfig.rootpath,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert f"Done {RUNS} runs" in run.stderr
