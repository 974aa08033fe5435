"""`make lock` writes every lock of the project, each with what its environment has."""

import subprocess
import sys
from pathlib import Path

import pytest

from testing.project import ROOT
from tools.lock import locks

FILES = [*ROOT.glob("requirements.txt"), *ROOT.glob("*/requirements.txt")]


def lock(folder: Path, script: str) -> "subprocess.CompletedProcess[str]":
    """Run the program with a `uv` that is this script."""
    uv = folder / "uv"
    uv.write_text(f"#!/bin/sh\ncd {folder}\n{script}\n")
    uv.chmod(0o755)
    command = [sys.executable, "-m", "tools.lock", str(uv)]
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def test_each_lock_is_written_and_the_one_that_constrains_the_others_first() -> None:
    written = [lock.file for lock in locks()]
    assert sorted(written) == sorted(str(file.relative_to(ROOT)) for file in FILES)
    assert written[0] == "requirements.txt"


def test_a_lock_has_the_requirements_of_its_environment(tmp_path: Path) -> None:
    done = lock(tmp_path, 'echo "$*" >>calls; case "$*" in *" -") cat >>input; echo >>input ;; esac')
    assert (done.returncode, done.stderr) == (0, "")
    options = [call.split(" --no-annotate ")[1] for call in (tmp_path / "calls").read_text().splitlines()]
    assert options == [
        "--upgrade --all-extras --group=dev --output-file=requirements.txt pyproject.toml",
        "--constraint=requirements.txt --group=build --output-file=build/requirements.txt pyproject.toml",
        "--constraint=requirements.txt --all-extras --group=demo --output-file=demo/requirements.txt pyproject.toml",
        "--constraint=requirements.txt --output-file=accountservice/requirements.txt -",
        "--upgrade --output-file=tools/requirements.txt -",
    ]
    extras = [lock.requirements for lock in locks() if lock.file.startswith("accountservice")]
    assert (tmp_path / "input").read_text() == f"{extras[0]}\nuv\n"
    assert "lmdb" in str(extras[0])


@pytest.mark.parametrize("status", [1, 2])
def test_a_failure_ends_it(tmp_path: Path, status: int) -> None:
    done = lock(tmp_path, f"echo x >>calls; echo failed >&2; exit {status}")
    assert (done.returncode, done.stderr) == (status, "failed\n")
    assert (tmp_path / "calls").read_text() == "x\n"
