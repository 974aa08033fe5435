"""Another program is frozen in the same way, by ten lines of spec: the bootloader knows none."""

import json
import shutil
import statistics
import time
from pathlib import Path

import pytest

from testing.elf import PT_DYNAMIC, PT_INTERP, segments
from testing.executable import inside, start
from testing.freezing import SECOND, pyinstaller
from testing.privileges import needs_root

pytestmark = pytest.mark.release

VERSIONS = ["1.2", "1.10", "1.9"]


def test_it_is_static(newest: Path) -> None:
    assert not {PT_INTERP, PT_DYNAMIC} & segments(newest).keys()


@needs_root
def test_it_runs_alone(newest: Path, tmp_path: Path) -> None:
    shutil.copy(newest, tmp_path)
    (tmp_path / "versions.json").write_text(json.dumps(VERSIONS))
    tmp_path.chmod(0o755)
    done = start([*inside(tmp_path), "/newest", "/versions.json"])
    assert (done.returncode, done.stdout, done.stderr) == (0, b"1.10\n", b"")


def test_its_exit_status_is_its_own(newest: Path) -> None:
    done = start([str(newest), "/nonexistent.json"])
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"'/nonexistent.json': No such file or directory" in done.stderr


UNCAUGHT = {
    "its text": ("x", "InvalidVersion: Invalid version: 'x'\n"),
    "the start of a long text": ("ä" * 5000, f"InvalidVersion: Invalid version: '{'ä' * 182}\n"),
}


@pytest.mark.parametrize(("version", "words"), UNCAUGHT.values(), ids=list(UNCAUGHT))
def test_an_uncaught_exception_is_one_line_with(newest: Path, tmp_path: Path, version: str, words: str) -> None:
    (tmp_path / "versions.json").write_text(json.dumps([version]))
    done = start([str(newest), str(tmp_path / "versions.json")])
    assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", f"internal error: {words}")


def seconds(command: list[str]) -> float:
    began = time.perf_counter()
    assert start(command).stdout == b"1.10\n"
    return time.perf_counter() - began


def test_it_starts_in_a_tenth_of_the_time_of_one_file(newest: Path, tmp_path: Path) -> None:
    pyinstaller(tmp_path, "--onefile", f"--specpath={tmp_path}", "--name=one-file", str(SECOND / "newest.py"))
    (tmp_path / "versions.json").write_text(json.dumps(VERSIONS))
    pairs = [
        (
            seconds([str(newest), str(tmp_path / "versions.json")]),
            seconds([str(tmp_path / "one-file"), str(tmp_path / "versions.json")]),
        )
        for _ in range(9)
    ]
    assert statistics.median(ours / theirs for ours, theirs in pairs) < 0.1
