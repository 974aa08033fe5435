"""The commands of the documentation run, print what is said there, and stand where it is said: see blocks.py."""

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from demo import swarm
from testing import network
from testing.blocks import PAGES, Block, Session, apart, blocks, called, commands, sessions, strays, unused
from testing.containers import require_compose, require_image
from testing.project import ROOT
from testing.servers import serving, wait_for_close
from testing.sessions import perform
from testing.waiting import PATIENCE
from tools.docker_engine import EngineError, docker, remove, remove_containers, remove_image
from tools.release.executable import name

BY_HAND = 120.0  # seconds for the commands of a session; on an engine they wait for several checks
ON_ENGINE = 480.0

DATA: dict[str, Callable[[str], object]] = {"json": json.loads, "yaml": yaml.safe_load}

EVERY = [block for page in PAGES for block in blocks(page)]
PLAIN = [
    session
    for page in PAGES
    for session in sessions(page, "runs", "file")
    if any(block.kind == "runs" for block in session.blocks)
]
WHOLE = [session for page in PAGES for session in sessions(page, "runs", "file", "docker")]
DOCKER = [session for session in WHOLE if any(block.kind == "docker" for block in session.blocks)]


def blocks_where(chosen: Callable[[Block], bool]) -> pytest.MarkDecorator:
    found = [block for block in EVERY if chosen(block)]
    return pytest.mark.parametrize("block", found, ids=[block.place for block in found])


def in_turn(found: list[Session]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("session", found, ids=[session.name for session in found])


def runs_tests(session: Session) -> bool:
    return any("bin/pytest" in block.text for block in session.blocks)


every_page = pytest.mark.parametrize("page", PAGES, ids=[called(page) for page in PAGES])


@every_page
def test_the_comment_above_a_block_says_how_it_is_tried(page: Path) -> None:
    assert [block.place for block in blocks(page) if not block.kind] == []


@every_page
def test_whatever_looks_like_a_block_or_a_command_is_looked_at(page: Path) -> None:
    assert strays(page) == []


@every_page
def test_what_commands_print_stands_directly_behind_them(page: Path) -> None:
    assert apart(page) == []


@in_turn(WHOLE)
def test_a_file_is_for_commands_below_it_or_for_systemd(session: Session) -> None:
    assert unused(session) == []


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "healthchecker.md"], ids=called)
def test_a_line_of_the_program_is_one_of_those_that_are_brought_about(page: Path) -> None:
    brought_about = said_on(ROOT / "docs" / "troubleshooting.md")
    assert said_on(page)
    assert said_on(page) <= brought_about


def said_on(page: Path) -> set[str]:
    """What the page has of a failed check's lines, whatever the port, the timeout, and how long it took."""
    lines = re.findall(r"^[ \t>]*(unhealthy: .*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"(?<=:)\d+(?=/)|\b\d+(?= ?m?s\b)", "N", line) for line in lines}


@blocks_where(lambda block: block.kind == "run by")
def test_a_file_of_the_project_has_the_same_commands(block: Block) -> None:
    file = commands(replace(block, text=(ROOT / block.argument).read_text()))
    for command in commands(block):
        assert any(re.search(rf"(?<![\w-]){re.escape(command)}(?![\w-])", line) for line in file), command


@blocks_where(lambda block: block.kind == "from")
def test_an_excerpt_stands_in_its_file(block: Block) -> None:
    lines = [line.strip() for line in block.text.splitlines()]
    there = [line.strip() for line in (ROOT / block.argument).read_text().splitlines()]
    assert any(there[start : start + len(lines)] == lines for start in range(len(there)))


LOOP = re.compile(r"^[^#\n]*\b(?:until .*|while .*|for .*\bseq .*)\bdo\b.*$", re.MULTILINE)


def loops(block: Block) -> list[str]:
    return LOOP.findall(block.text.replace("\\\n", ""))


@blocks_where(lambda block: bool(loops(block)) and block.language != "ini")  # a unit has TimeoutStartSec
def test_a_loop_that_waits_has_an_end(block: Block) -> None:
    assert [loop for loop in loops(block) if not re.match(r"\s*timeout \d+ (?:ba)?sh -c ", loop)] == []


@pytest.mark.parametrize(
    ("timeout", "reason"),
    [
        pytest.param("1s", "unhealthy: GET http://127.0.0.1:PORT/health: no reply within 1s", id="checks end"),
        pytest.param("1m", "no verdict within 30 s", id="no check ends"),
    ],
)
def test_waiting_for_a_service_that_hangs_has_an_end(timeout: str, reason: str, binary: Path, tmp_path: Path) -> None:
    (script,) = [block.text for block in EVERY if block.argument == "wait-for.sh"]
    assert script.count("timeout 30 ") == 1
    (tmp_path / "wait-for.sh").write_text(script.replace("timeout 30 ", "timeout 5 "))
    (tmp_path / "healthchecker").symlink_to(binary)
    with serving(wait_for_close) as port:
        command = ["sh", "wait-for.sh", f"-port={port}", f"-timeout={timeout}"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{reason.replace('PORT', str(port))}\n")


@blocks_where(lambda block: block.language in DATA)
def test_data_can_be_read(block: Block) -> None:
    assert DATA[block.language](block.text)


@blocks_where(lambda block: block.argument == "compose.yaml" and block.kind == "file")
def test_a_compose_file_is_one(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(block.text)
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    done = subprocess.run(check, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("units are looked at by systemd-analyze, of the package systemd")
    (tmp_path / "bin").mkdir()
    for program in ("accountservice", "healthchecker"):
        (tmp_path / "bin" / program).symlink_to("/bin/true")
    units = {
        tmp_path / block.argument: block.text for block in EVERY if (block.language, block.kind) == ("ini", "file")
    }
    for file, text in units.items():
        file.write_text(text.replace("/usr/local/bin", str(tmp_path / "bin")))
    verify = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *map(str, units)]
    done = subprocess.run(verify, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(units) == 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What lies in the project's folder, by links, in one where commands may write."""
    place = tmp_path / "place"
    place.mkdir()
    for path in ROOT.iterdir():
        if path.name in {".venv", ".ci"} or not path.name.startswith((".", "accounts.db")):
            (place / path.name).symlink_to(path)
    return place


def require_port() -> None:
    """Go on where the account service of the pages can have its port."""
    with socket.socket() as connection:
        if connection.connect_ex(("127.0.0.1", 6767)) == 0:
            pytest.skip("port 6767, which the account service of the pages has, is taken here")


@pytest.mark.release
@pytest.mark.timeout(BY_HAND + PATIENCE)
@in_turn([session for session in PLAIN if runs_tests(session)])
def test_commands_that_run_tests_run(session: Session, folder: Path) -> None:
    perform(session, folder, BY_HAND)


@pytest.mark.usefixtures("binary")
@pytest.mark.timeout(BY_HAND + PATIENCE)
@in_turn([session for session in PLAIN if not runs_tests(session)])
def test_commands_run(session: Session, folder: Path) -> None:
    apart = network.apart()
    if not apart:
        require_port()
    perform(session, folder, BY_HAND, apart)


@pytest.mark.e2e
@pytest.mark.usefixtures("images")
@pytest.mark.timeout(ON_ENGINE + 900)
@in_turn(DOCKER)
def test_commands_run_on_an_engine(session: Session, folder: Path) -> None:
    require_port()
    for block in session.blocks:
        if block.argument and block.kind == "docker":
            require(block.argument)
    if not (folder / "dist" / name()).exists():
        lend_executable(folder)
    with tidied(session):
        perform(session, folder, ON_ENGINE)


def require(what: str) -> None:
    """Go on where what a block names is to be had."""
    if what == "compose":
        require_compose()
    else:
        require_image(what)


def lend_executable(folder: Path) -> None:
    """Take the executable from the image, where none was built here."""
    (folder / "dist").unlink(missing_ok=True)
    (folder / "dist").mkdir()
    container = docker("create", "healthchecker")
    docker("cp", f"{container}:/{name()}", str(folder / "dist"))
    remove_containers(container)


@contextmanager
def tidied(session: Session) -> Iterator[None]:
    """Remove what the session made and left because it failed."""
    in_swarm = docker("info", "--format", "{{.Swarm.LocalNodeState}}") != "inactive"
    text = "".join(block.text for block in session.blocks if block.kind != "file")
    try:
        yield
    finally:
        if "docker stack deploy" in text:
            with suppress(EngineError):  # there is no swarm
                remove("stack", "rm", swarm.STACK, gone=swarm.stack_is_gone)
        for container in re.findall(r"--name[ =](\S+)", text):
            remove_named(container)
        for image in re.findall(r"--tag[ =](\S+)", text):
            remove_image(image)
        if "docker swarm init" in text and not in_swarm:
            swarm.leave()


def remove_named(container: str) -> None:
    """Remove the container of that name."""
    listed = ["ps", "--all", "--quiet", f"--filter=name=^{container}$"]
    remove("rm", "--force", "--volumes", container, gone=lambda: not docker(*listed))
