"""The snapshot: nothing in it is random, of the builder, or of a process."""

import getpass
import os
import platform
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import unpack_from

import layout
import link
import pytest
from debian import BuildError

from tests.conftest import PATIENCE, needs_root
from tests.frozen.conftest import start

ROOT = Path(__file__).parent.parent.parent
WORK = ROOT / ".build"

PROCESSES = 100
KEY_SHARE = 51  # RFC 8446, section 4.2


@contextmanager
def catching_hellos() -> Iterator[tuple[int, list[bytes]]]:
    """A port, and the first record that each client sends to it, once they have been started."""
    with socket.create_server(("127.0.0.1", 0), backlog=PROCESSES) as listener:
        listener.settimeout(PATIENCE)
        hellos: list[bytes] = []
        yield listener.getsockname()[1], hellos
        for _ in range(PROCESSES):
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as stream:
                connection.settimeout(PATIENCE)
                header = stream.read(5)
                hellos.append(stream.read(unpack_from("!H", header, 3)[0]))


def parts(hello: bytes) -> dict[str, bytes]:
    """What a ClientHello has that is random (RFC 8446, section 4.1.2)."""
    at = 4 + 2 + 32
    session = hello[at + 1 : at + 1 + hello[at]]
    at += 1 + hello[at]
    at += 2 + unpack_from("!H", hello, at)[0]  # the ciphers
    at += 1 + hello[at] + 2  # the compressions, and the extensions' length
    share = b""
    while at < len(hello):
        kind, length = unpack_from("!HH", hello, at)
        if kind == KEY_SHARE:
            share = hello[at + 4 : at + 4 + length]
        at += 4 + length
    return {"random": hello[6:38], "session": session, "key share": share}


@needs_root
def test_no_two_processes_with_the_same_number_have_anything_random_in_common(binary: Path) -> None:
    with catching_hellos() as (port, hellos):
        command = ["unshare", "--pid", "--fork", str(binary), f"https://127.0.0.1:{port}/", "-k", "-t=20"]
        nowhere = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        running = [subprocess.Popen(command, env={"PATH": os.environ["PATH"]}, **nowhere) for _ in range(PROCESSES)]  # type: ignore[call-overload]
    for process in running:
        process.wait(PATIENCE)
    for name in ("random", "session", "key share"):
        found = [parts(hello)[name] for hello in hellos]
        assert all(len(one) >= 32 for one in found), name
        assert len(set(found)) == PROCESSES, name


def test_nothing_of_the_builder_is_in_it(binary: Path) -> None:
    data = binary.read_bytes()
    secrets = [str(ROOT), platform.node(), f"/home/{getpass.getuser()}", "BEGIN PRIVATE KEY", "rehearsal.pem"]
    assert [secret for secret in secrets if len(secret) > 6 and secret.encode() in data] == []


def record(folder: Path, rehearsal: str) -> None:
    """Have the launcher record the program with that rehearsal. Raises BuildError."""
    (folder / "rehearsal.py").write_text(rehearsal)
    (folder / "launcher").symlink_to(WORK / "bootloader" / "first" / "launcher")
    (folder / "areas").write_bytes(layout.no_areas())
    archive = WORK / "pyinstaller" / "BareModules-00.pyz"
    program = link.Program(archive, "probe.__main__:main", "launcher", folder / "rehearsal.py", [], [], [])
    link.record(folder, program, "snapshot")


REFUSED = {
    "a thread": (
        "import _thread, time\ndef rehearse(step): _thread.start_new_thread(time.sleep, (60,))",
        "a thread is running behind the rehearsal",
    ),
    "an open file": (
        "import os\ndef rehearse(step): os.dup(0)",
        "/dev/null is open behind the rehearsal",
    ),
    "a random number": (
        "import os\ndef rehearse(step): os.urandom(8)",
        "the rehearsal asked for random bytes, which would be the same in every process",
    ),
}


@pytest.mark.parametrize(("source", "words"), REFUSED.values(), ids=list(REFUSED))
def test_a_snapshot_is_refused_with(binary: Path, tmp_path: Path, source: str, words: str) -> None:
    del binary  # its build leaves the launcher
    with pytest.raises(BuildError) as raised:
        record(tmp_path, source)
    assert str(raised.value) == f"the launcher took no snapshot of the program:\n{words}"


def test_a_rehearsal_that_does_not_end_ends_the_build(
    binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del binary
    monkeypatch.setattr(layout, "LONGEST", 1.0)
    with pytest.raises(BuildError) as raised:
        record(tmp_path, "def rehearse(step):\n    while True: pass")
    assert str(raised.value) == "the rehearsal of the program did not end within 1 seconds"


def test_a_launcher_without_a_snapshot_says_so(binary: Path) -> None:
    del binary
    done = start([str(WORK / "bootloader" / "first" / "launcher"), "--help"])
    assert (done.returncode, done.stderr) == (1, b"this launcher has no snapshot yet\n")
