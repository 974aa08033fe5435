"""The Swarm demonstration removes what it made, also when the engine refuses at first."""

import os
from pathlib import Path

import pytest

from demo import swarm
from tools import docker_engine
from tools.docker_engine import EngineError

# An engine that can be in a swarm with one stack. A file in its folder is a thing that it has. `refusals` is how often
# it refuses each removal.
DOCKER = """#!/bin/sh
cd {folder} || exit 1
echo "$*" >>calls

refuse() {{ # what is refused, and why
    [ "$(grep --count --line-regexp -- "$1" calls)" -le "$(cat refusals)" ] || return 0
    echo "$2" >&2
    exit 1
}}

case "$*" in
"info "*Control*) [ -e swarm ] && echo active true || echo inactive false ;;
"info "*) [ -e swarm ] && echo active || echo inactive ;;
"swarm init "*) [ ! -e broken ] || {{ echo "no such address" >&2; exit 1; }}; touch swarm gateway ;;
"swarm leave --force") refuse "$*" "context deadline exceeded"; rm swarm ;;
"stack ls "*) [ ! -e service ] || echo accounts ;;
"stack deploy "*) touch service task container network ;;
"service ls "*) [ ! -e service ] || echo s1 ;;
"stack ps "*) [ -e task ] || {{ echo "nothing found in stack: accounts" >&2; exit 1; }}; echo t1 ;;
"ps "*) [ ! -e container ] || echo c1; [ -e task ] || rm -f container ;;
"network ls "*label=*) [ ! -e network ] || echo accounts_accounts ;;
"network ls "*) [ ! -e gateway ] || echo docker_gwbridge ;;
"stack rm accounts")
    rm -f service
    refuse "$*" "Failed to remove network n1: network n1 is in use by task t1Failed to remove some resources"
    rm -f task network ;;
"network rm docker_gwbridge") refuse "$*" "network docker_gwbridge has active endpoints"; rm gateway ;;
*) echo "unexpected: $*" >&2; exit 1 ;;
esac
"""
THINGS = {"swarm", "gateway", "service", "task", "container", "network"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the engine has, and the calls that it got; its command is the first on PATH."""
    things = tmp_path / "engine"
    things.mkdir()
    (things / "refusals").write_text("2")
    program = tmp_path / "docker"
    program.write_text(DOCKER.format(folder=things))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return things


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} & THINGS


def calls(folder: Path, command: str) -> int:
    return (folder / "calls").read_text().splitlines().count(command)


def test_what_was_made_is_removed_though_the_engine_refuses_twice(folder: Path) -> None:
    with swarm.swarm(), swarm.stack():
        assert left(folder) == THINGS
    assert left(folder) == set()
    for command in ("stack rm accounts", "swarm leave --force", "network rm docker_gwbridge"):
        assert calls(folder, command) >= 3


@pytest.mark.parametrize("there", [{"gateway"}, {"gateway", "swarm"}], ids=["the gateway network", "a swarm"])
def test_what_was_there_before_is_left(there: set[str], folder: Path) -> None:
    for thing in there:
        (folder / thing).touch()
    with swarm.swarm(), swarm.stack():
        assert left(folder) == THINGS
    assert left(folder) == there


def test_a_swarm_that_cannot_be_made_is_told_and_not_left(folder: Path) -> None:
    (folder / "broken").touch()
    with pytest.raises(EngineError, match="docker swarm: no such address"), swarm.swarm():
        pytest.fail("there is no swarm")
    assert calls(folder, "swarm leave --force") == 0


def test_a_stack_that_cannot_be_removed_is_told_with_the_last_refusal(folder: Path) -> None:
    (folder / "refusals").write_text("1000000")
    swarm.deploy()
    with pytest.raises(
        EngineError, match="docker stack rm accounts: not gone within 0 s; docker stack: .*n1 is in use by task t1"
    ):
        docker_engine.remove("stack", "rm", "accounts", gone=swarm.stack_is_gone, patience=0.4)
    assert calls(folder, "stack rm accounts") >= 1


def test_what_is_never_gone_is_told_without_a_refusal_too(folder: Path) -> None:
    (folder / "refusals").write_text("0")
    with pytest.raises(EngineError, match="docker stack rm accounts: not gone within 0 s$"):
        docker_engine.remove("stack", "rm", "accounts", gone=lambda: False, patience=0.4)
    assert calls(folder, "stack rm accounts") >= 1
