"""The images on a real engine: what Docker sees of the service and of its health check."""

import os
import re
import subprocess
import sys

import pytest

from testing.containers import derived, running, wait_for
from testing.project import ROOT
from tools.docker_engine import EngineError, docker, health, inspect, remove_containers, require

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("images"), pytest.mark.timeout(900)]


def test_the_container_becomes_healthy() -> None:
    with running() as container:
        wait_for(container, "healthy")
        assert set(health(container)[1]) == {""}


def test_it_is_healthy_with_a_volume_and_on_another_port() -> None:
    with running("--env=ACCOUNTSERVICE_PORT=7001", "--volume=/data") as container:
        wait_for(container, "healthy")


def test_docker_shows_why_it_is_unhealthy() -> None:
    with running("--env=ACCOUNTSERVICE_TESTABILITY=1") as container:
        wait_for(container, "healthy")
        ask = "import urllib.request as r; r.urlopen('http://127.0.0.1:6767/testability/healthy/false')"
        docker("exec", container, "python3", "-c", ask)
        wait_for(container, "unhealthy")
        line = health(container)[1][-1]
    start = "unhealthy: GET http://127.0.0.1:6767/health: 503 Service Unavailable, expected 200 ("
    assert line.startswith(start)
    assert line.endswith('): {"status":"Database unaccessible"}\n')


def test_a_service_that_hangs_is_told_by_the_probe_and_costs_nothing() -> None:
    check = '["/healthchecker-linux-amd64", "-port=6767", "-timeout=100ms"]'.replace("amd64", architecture())
    instruction = f"HEALTHCHECK --interval=50ms --timeout=5s --retries=100 CMD {check}"
    with derived(instruction) as name, running(name=name) as container:
        wait_for(container, "healthy")
        signal_workers(container, "STOP")
        wait_for(container, "unhealthy")
        lines = health(container)[1]
        processes = docker("top", container, "-eo", "pid,comm").splitlines()[1:]
        changed = docker("diff", container)
        signal_workers(container, "CONT")
        wait_for(container, "healthy")
    assert set(lines) == {"unhealthy: GET http://127.0.0.1:6767/health: no reply within 100ms\n"}
    assert changed == ""
    names = [line.split()[1] for line in processes]
    assert set(names) - {"healthchecker-l"} == {"python3"}
    assert names.count("healthchecker-l") <= 1  # the check that is under way


FORMS = {"exec form": 'CMD ["/{0}", "-port=6767", "-timeout=2s"]', "shell form": "CMD exec /{0} -port=6767 -timeout=2s"}


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_a_check_that_docker_ends_leaves_no_process(form: str) -> None:
    command = form.format(f"healthchecker-linux-{architecture()}")
    with (
        derived(f"HEALTHCHECK --interval=50ms --timeout=1s --retries=5 {command}") as name,
        running(name=name) as container,
    ):
        wait_for(container, "healthy")
        signal_workers(container, "STOP")
        wait_for(container, "unhealthy")
        lines = health(container)[1]
        states = docker("exec", container, "sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null; true")
        signal_workers(container, "CONT")
    assert lines[-1] == "Health check exceeded timeout (1s)"
    assert [line for line in states.splitlines() if ") Z " in line] == []


def test_docker_stop_ends_it_cleanly() -> None:
    with running() as container:
        wait_for(container, "healthy")
        docker("stop", container)
        assert inspect("container", container)["State"]["ExitCode"] == 0


def test_the_probe_runs_where_nothing_is_allowed() -> None:
    confined = ["--read-only", "--cap-drop=ALL", "--user=65534", "--network=none", "--security-opt=no-new-privileges"]
    done = subprocess.run(
        ["docker", "run", "--rm", *confined, "healthchecker", "-port=1"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("unhealthy: GET http://127.0.0.1:1/health: connection refused (")


def test_the_probes_image_holds_one_file() -> None:
    container = docker("create", "healthchecker")
    try:
        names = subprocess.run(f"docker export {container} | tar -t", shell=True, capture_output=True, text=True).stdout
    finally:
        remove_containers(container)
    by_docker = ("dev/", "etc/", "proc/", "sys/", ".dockerenv")
    assert [name for name in names.split() if not name.startswith(by_docker)] == [
        f"healthchecker-linux-{architecture()}"
    ]


@pytest.mark.parametrize("name", ["accountservice", "healthchecker"])
def test_the_image_has_an_unprivileged_user_by_number(name: str) -> None:
    user = inspect("image", name)["Config"]["User"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), "Kubernetes' runAsNonRoot takes no name, and no root"


@pytest.mark.parametrize("name", ["accountservice", "healthchecker"])
def test_its_own_user_may_run_the_check(name: str) -> None:
    check = f"--entrypoint=/healthchecker-linux-{architecture()}"
    done = subprocess.run(["docker", "run", "--rm", check, name, "--help"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: healthchecker ")


def test_the_service_is_nobody_and_has_no_tools() -> None:
    look = "id -u; command -v gcc pip pip3 make; true"
    assert docker("run", "--rm", "--entrypoint=sh", "accountservice", "-c", look) == "10001"


@pytest.mark.parametrize("module", ["tools.image", "demo.swarm"])
def test_no_engine_is_one_line(module: str) -> None:
    environ = os.environ | {"DOCKER_HOST": "unix:///nonexistent"}
    done = subprocess.run([sys.executable, "-m", module], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "there is no Docker engine running here; start it, or name it in DOCKER_HOST" in done.stderr


def test_a_missing_base_image_is_one_line() -> None:
    environ = os.environ | {"IMAGE_OPTIONS": "--build-arg=BASE=localhost:1/nonexistent:latest"}
    done = subprocess.run([sys.executable, "-m", "tools.image"], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stdout.count("\n"), done.stderr.count("\n")) == (1, 1, 1)
    assert done.stdout.startswith("image: building healthchecker and accountservice, ")
    assert "the base image localhost:1/nonexistent:latest is not here and cannot be pulled" in done.stderr


def test_require_names_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(EngineError, match="there is no docker command here"):
        require()


def signal_workers(container: str, name: str) -> None:
    """Send a signal to the service's workers, the children of the container's first process."""
    docker("exec", container, "sh", "-c", f"kill -{name} $(cat /proc/1/task/1/children)")


def architecture() -> str:
    """As Docker names it."""
    name: str = inspect("image", "accountservice")["Architecture"]
    return name
