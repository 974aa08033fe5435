"""Nothing random is the same in two processes, although both begin with the same memory."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import unpack_from

import pytest
from launcher import make_launcher
from snapshot import Program, make_bootloader

from testing.freezing import DRAWING
from testing.project import ROOT
from testing.waiting import PATIENCE

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


# The number of each process is 1, and it begins when standard input ends, in the folder $0 as its root.
AT_ONCE = ["unshare", "--pid", "--fork", *(["--user", "--map-root-user"] if os.geteuid() else [])]
BEGIN = 'printf . >&2; exec 2>/dev/null; read _; exec chroot "$0" "$@"'

can_start_at_once = pytest.mark.skipif(
    subprocess.run([*AT_ONCE, "true"], stderr=subprocess.DEVNULL).returncode != 0,
    reason="it takes root, or a kernel that lets users unshare their own, to unshare process numbers",
)


def at_once(command: list[str], root: Path, output: int) -> list[subprocess.Popen[bytes]]:
    """Many processes of the command, all with the number 1, begun at the same time."""
    waiting, begin = os.pipe()
    all_there, there = os.pipe()
    whole = [*AT_ONCE, "sh", "-c", BEGIN, str(root), *command]
    environ = {"PATH": os.environ["PATH"]}
    started = [
        subprocess.Popen(whole, env=environ, stdin=waiting, stdout=output, stderr=there) for _ in range(PROCESSES)
    ]
    os.close(there)
    with os.fdopen(all_there, "rb") as dots:
        assert dots.read(PROCESSES) == b"." * PROCESSES
    os.close(waiting)
    os.close(begin)
    return started


@can_start_at_once
@pytest.mark.parametrize("trusting", ["anything", "its bundle"])
def test_no_two_processes_with_the_same_number_have_anything_random_in_common(
    binary: Path, tmp_path: Path, trusting: str
) -> None:
    command, root = ([str(binary), "-k"], Path("/")) if trusting == "anything" else (["/healthchecker"], tmp_path)
    shutil.copy(binary, tmp_path / "healthchecker")  # an image without certificates
    with catching_hellos() as (port, hellos):
        running = at_once([*command, f"https://127.0.0.1:{port}/", "-t=20"], root, subprocess.DEVNULL)
    for process in running:
        process.wait(PATIENCE)
    for name in ("random", "session", "key share"):
        found = [parts(hello)[name] for hello in hellos]
        assert all(len(one) >= 32 for one in found), name
        assert len(set(found)) == PROCESSES, name


WARM_UP = """
import sys
def warm_up(step):
    module = sys.modules["drawing"] = type(sys)("drawing")
    with open(sys.argv[1]) as file:
        exec(file.read(), module.__dict__)
    module.warm_up()
"""


@pytest.fixture(scope="module")
def drawing(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that prints random numbers, with the modules of the executable."""
    del binary  # its build leaves the modules, and the source of CPython
    folder = tmp_path_factory.mktemp("drawing")
    for source in (WORK / "bootloader").glob("python3*"):
        (folder / source.name).symlink_to(source)
    (folder / "warm_up.py").write_text(WARM_UP)
    archive = WORK / "pyinstaller" / "BareModules-00.pyz"
    program = Program(
        archive=archive,
        entry_point="drawing:main",
        warm_up=folder / "warm_up.py",
        files=(DRAWING,),
        ordinary=[],
        others=[],
    )
    return make_bootloader(make_launcher(folder, "interrupted\n"), program)


@pytest.mark.release
@can_start_at_once
def test_no_source_of_random_numbers_gives_two_processes_the_same(drawing: Path, tmp_path: Path) -> None:
    with (tmp_path / "drawn").open("ab") as output:
        for process in at_once([str(drawing)], Path("/"), output.fileno()):
            assert process.wait(PATIENCE) == 0
    lines = (tmp_path / "drawn").read_text().splitlines()
    assert len(lines) == PROCESSES
    assert {line.split()[0] for line in lines} == {"1"}
    columns = list(zip(*(line.split()[1:] for line in lines), strict=True))
    assert [len(set(column)) for column in columns] == [PROCESSES] * len(columns)
