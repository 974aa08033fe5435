"""Let Docker Swarm replace an unhealthy task: `make swarm-demo`.

Deploys compose.yaml, waits until every task is healthy, makes one of them unhealthy, and shows its replacement and how
long that took. Removes everything that it made, and leaves an existing swarm as it was.
"""

import os
import signal
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from tools import ROOT
from tools.docker_engine import EngineError, docker, health, remove, require, wait_until

STACK = "accounts"
SERVICE = f"{STACK}_accountservice"
GATEWAY = "docker_gwbridge"  # the network that a swarm adds to the engine, and leaves there


@contextmanager
def swarm() -> Iterator[None]:
    """Use the swarm that this engine manages, or make one and leave it at the end. Raises EngineError."""
    state, manager = docker("info", "--format", "{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}").split()
    if state == "inactive":
        had_gateway = GATEWAY in networks()
        try:
            docker("swarm", "init", "--advertise-addr=127.0.0.1")
            yield
        finally:
            leave()
            if not had_gateway:
                remove("network", "rm", GATEWAY, gone=lambda: GATEWAY not in networks())
    elif (state, manager) == ("active", "true"):
        yield
    else:
        raise EngineError("this engine is in a swarm that it does not manage; run this on a manager")


def leave() -> None:
    """Leave the swarm, if the engine is in one. Raises EngineError."""
    state = "{{.Swarm.LocalNodeState}}"
    remove("swarm", "leave", "--force", gone=lambda: docker("info", "--format", state) == "inactive")


def networks(*options: str) -> list[str]:
    """List the names of the engine's networks."""
    return docker("network", "ls", "--format", "{{.Name}}", *options).splitlines()


@contextmanager
def stack(**environ: str) -> Iterator[None]:
    """Deploy compose.yaml with these variables. Remove the stack and everything that belongs to it at the end."""
    if STACK in docker("stack", "ls", "--format", "{{.Name}}").splitlines():
        raise EngineError(f"there is a stack {STACK} already; remove it: docker stack rm {STACK}")
    try:
        deploy(**environ)
        yield
    finally:
        remove("stack", "rm", STACK, gone=stack_is_gone)


def stack_is_gone() -> bool:
    """Whether nothing of the stack is left.

    The order matters: a service that is gone can have tasks, and a task can still start a container.
    """
    label = f"--filter=label=com.docker.stack.namespace={STACK}"
    services = docker("service", "ls", "--quiet", label)
    return not (services or tasks() or docker("ps", "--all", "--quiet", label) or networks(label))


def tasks() -> list[str]:
    """List the stack's tasks, also those of services that are gone."""
    try:
        return docker("stack", "ps", "--quiet", STACK).split()
    except EngineError as error:
        if "nothing found in stack" in str(error).lower():
            return []
        raise


def deploy(**environ: str) -> None:
    """Deploy or update the stack with these variables for compose.yaml. Raises EngineError."""
    file = f"--compose-file={ROOT / 'compose.yaml'}"
    docker("stack", "deploy", file, "--resolve-image=never", STACK, **(os.environ | environ))


def containers() -> list[str]:
    """List the IDs of the service's running containers."""
    return docker("ps", "--quiet", "--no-trunc", f"--filter=label=com.docker.swarm.service.name={SERVICE}").split()


def all_healthy(count: int) -> bool:
    """Whether this number of containers runs, all of them healthy."""
    found = containers()
    return len(found) == count and all(health(container)[0] == "healthy" for container in found)


def ask(container: str, path: str) -> None:
    """Send a GET request to the container's service through its port of the host. Raises EngineError."""
    address = next(line for line in docker("port", container, "6767/tcp").splitlines() if not line.startswith("["))
    url = f"http://127.0.0.1:{address.rpartition(':')[2]}{path}"
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10).close()
    except OSError as error:
        raise EngineError(f"GET {url}: {error}") from None


def replacement(failing: str, count: int) -> tuple[str, float]:
    """Make a container unhealthy. Return its replacement, and the seconds until that is healthy."""
    others = set(containers())
    ask(failing, "/testability/healthy/false")
    started = time.monotonic()
    wait_until(f"{failing[:12]} is replaced", lambda: failing not in containers())
    wait_until("all tasks are healthy again", lambda: all_healthy(count))
    (new,) = set(containers()) - others
    return new, time.monotonic() - started


def main() -> None:
    """Run the demonstration step by step."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM removes everything too
    count = 2
    try:
        require()
        with swarm():
            print(f"$ docker stack deploy --compose-file=compose.yaml {STACK}")
            with stack(ACCOUNTSERVICE_TESTABILITY="1", ACCOUNTSERVICE_REPLICAS=str(count)):
                seconds = wait_until("all tasks are healthy", lambda: all_healthy(count))
                print(f"{count} tasks healthy after {seconds:.0f} s")
                old = containers()[0]
                print(f"{old[:12]} is told to be unhealthy: GET /testability/healthy/false")
                new, seconds = replacement(old, count)
                print(f"{new[:12]} took its place, healthy, after {seconds:.0f} s")
            print("all removed")
    except EngineError as error:
        sys.exit(f"swarm-demo: {error}")
    except KeyboardInterrupt:
        sys.exit("swarm-demo: interrupted; what it made is removed")


if __name__ == "__main__":
    main()
