"""The snapshot: nothing in it is random, of the builder, or of a process."""

import getpass
import platform
import re
from itertools import count
from pathlib import Path

import layout
import memory_profile
import pytest
import snapshot
from commands import BuildError
from snapshot import Program

from testing.executable import start
from testing.privileges import needs_root
from testing.project import ROOT

WORK = ROOT / ".build"
LAUNCHER = WORK / "bootloader" / "first" / "launcher"  # that the build leaves


def test_nothing_of_the_builder_is_in_it(binary: Path) -> None:
    data = binary.read_bytes()
    secrets = [str(ROOT), platform.node(), f"/home/{getpass.getuser()}", "BEGIN PRIVATE KEY", "warm_up.pem"]
    encodings = ("utf-8", "utf-16-le", "utf-32-le")  # as Python keeps texts
    found = [secret for secret in secrets for encoding in encodings if secret.encode(encoding) in data]
    assert [secret for secret in found if len(secret) > 6] == []


def program(folder: Path) -> Program:
    """The program with the warm-up in the folder."""
    archive = WORK / "pyinstaller" / "BareModules-00.pyz"
    return Program(
        archive=archive, entry_point="probe.__main__:main", warm_up=folder / "warm_up.py", ordinary=[], others=[]
    )


def record(folder: Path, warm_up: str, launcher: Path = LAUNCHER) -> None:
    """Have the launcher record the program with that warm-up. Raises BuildError."""
    (folder / "warm_up.py").write_text(warm_up)
    (folder / "launcher").symlink_to(launcher)
    (folder / "layout").write_bytes(layout.no_places())
    snapshot.record(folder, program(folder), "snapshot")


RANDOM_BYTES = "the warm-up asked for random bytes, which would be the same in every process"
RANDOM_GENERATOR = "the program has a random generator of its own, which would be the same in every process"

REFUSED = {
    "a thread": (
        "import _thread, time\ndef warm_up(step): _thread.start_new_thread(time.sleep, (60,))",
        "a thread is still running after the warm-up",
    ),
    "an open file": ("import os\ndef warm_up(step): os.dup(0)", "/dev/null is still open after the warm-up"),
    "a socket": (
        "import socket, sys\ndef warm_up(step): sys.kept = socket.socket(socket.AF_UNIX)",
        "socket:[NUMBER] is still open after the warm-up",
    ),
    "a generator that was begun": (
        "import sys\ndef count(): yield 1\ndef warm_up(step): sys.kept = count(); next(sys.kept)",
        "the generator count has begun and not ended after the warm-up",
    ),
    "a context that was entered": (
        (
            "import contextlib, sys\n@contextlib.contextmanager\ndef within(): yield\n"
            "def warm_up(step): sys.kept = within(); sys.kept.__enter__()"
        ),
        "the generator within has begun and not ended after the warm-up",
    ),
    "a coroutine that was begun": (
        (
            "import sys, types\n@types.coroutine\ndef wait(): yield\nasync def work(): await wait()\n"
            "def warm_up(step): sys.kept = work(); sys.kept.send(None)"
        ),
        "the coroutine work has begun and not ended after the warm-up",
    ),
    "an asynchronous generator": (
        "import sys\nasync def count(): yield 1\ndef warm_up(step): sys.kept = count()",
        "the async_generator count has begun and not ended after the warm-up",
    ),
    "a random number": ("import os\ndef warm_up(step): os.urandom(8)", RANDOM_BYTES),
    "a random identifier": ("import uuid\ndef warm_up(step): uuid.uuid4()", RANDOM_BYTES),
    "a random generator": ("import random, sys\ndef warm_up(step): sys.kept = random.Random()", RANDOM_GENERATOR),
    "a random generator of a class of its own": (
        "import random, sys\nclass Dice(random.Random): pass\ndef warm_up(step): sys.kept = Dice(6)",
        RANDOM_GENERATOR,
    ),
    "something of the warm-up": (
        "import sys\ndef warm_up(step): sys.kept = warm_up",
        "the program still uses something of the warm-up",
    ),
}


@pytest.mark.parametrize(("source", "words"), REFUSED.values(), ids=list(REFUSED))
def test_a_snapshot_is_refused_with(binary: Path, tmp_path: Path, source: str, words: str) -> None:
    del binary
    with pytest.raises(BuildError) as raised:
        record(tmp_path, source)
    said = re.sub(r"(?<=\[)\d+", "NUMBER", str(raised.value))
    assert said == f"the launcher took no snapshot of the program: {words}"


def test_a_warm_up_that_does_not_end_ends_the_build(
    binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del binary
    monkeypatch.setattr(memory_profile, "LONGEST", 1.0)
    with pytest.raises(BuildError) as raised:
        record(tmp_path, "def warm_up(step):\n    while True: pass")
    assert str(raised.value) == "the warm-up of the program did not end within 1 seconds"


@needs_root
def test_a_snapshot_is_the_same_whatever_numbers_the_process_and_its_files_have(binary: Path, tmp_path: Path) -> None:
    del binary
    first_process = tmp_path / "first_process"
    first_process.write_text(f'#!/bin/sh\nexec unshare --pid --fork --mount-proc {LAUNCHER} "$@"\n')
    first_process.chmod(0o755)
    for name, launcher in (("one", LAUNCHER), ("another", first_process)):
        (tmp_path / name).mkdir()
        record(tmp_path / name, "import os, sys\ndef warm_up(step): sys.status = os.stat(sys.argv[0])", launcher)
    for part in ("heap", "variables"):
        one, another = ((tmp_path / name / f"snapshot.{part}").read_bytes() for name in ("one", "another"))
        assert one == another, part


def test_a_layout_that_never_has_a_place_for_all_blocks_costs_speed_and_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = count(1)

    def record_another_block(folder: Path, *_: object) -> None:
        (folder / "snapshot.blocks").write_bytes(layout.BLOCK.pack(next(keys), 1, 1))

    monkeypatch.setattr(snapshot, "record", record_another_block)
    snapshot.settle(tmp_path, program(tmp_path), layout.no_places())
    assert capsys.readouterr().out == (
        "build: the layout has no place for 1 of 1 blocks of the heap: "
        "the executable is correct, but slower than it could be\n"
    )


def test_a_launcher_without_a_snapshot_says_so(binary: Path) -> None:
    del binary
    done = start([str(LAUNCHER), "--help"])
    assert (done.returncode, done.stderr) == (1, b"this launcher has no snapshot yet\n")
