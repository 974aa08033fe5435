"""Checks that Docker makes: their durations by the engine's record, and the cost of many containers.

The containers sleep in the host's network, where one service answers all of them. So only the check differs. The floor
is /bin/true: the engine takes tens of milliseconds to start any program in a container.
"""

import json
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from bench.competitors import Competitor
from bench.measure import WORK, Spread, spread
from tools.docker_engine import docker, remove_containers, wait_until

BASE = "healthchecker-bench"
FLOOR = "/bin/true"
INTERVAL = "250ms"  # between two checks, for their duration
CHECKS = 8  # in a row, of each
ROUNDS = 2
NUMBERS = (1, 10, 30)  # containers at once, with a check each second
SETTLING = 1.0  # seconds in which the containers start
WINDOW = 6.0  # seconds for which the cost is measured

DOCKERFILE = """
FROM debian:trixie-slim
RUN apt-get update && apt-get install --yes --no-install-recommends curl wget && rm -rf /var/lib/apt/lists/*
COPY programs /opt
"""


class Cost(NamedTuple):
    """The cost of some containers: processor cores in use, and checks per second."""

    cores: float
    checks: float


def prepare(competitors: list[Competitor], port: int) -> dict[str, str]:
    """Build an image for each competitor, with its check of the port. Return the images' names."""
    context = WORK / "context"
    shutil.rmtree(context, ignore_errors=True)
    (context / "programs").mkdir(parents=True)
    checks: dict[str, list[str]] = {FLOOR: [FLOOR]}
    for competitor in competitors:
        program, *arguments = competitor.check(port)
        if not program.startswith("/usr"):  # the image has those of Debian
            shutil.copy(program, context / "programs")
            program = f"/opt/{Path(program).name}"
        checks[competitor.name] = [program, *arguments]
    build(BASE, DOCKERFILE, context)
    images = {}
    for number, (name, words) in enumerate(checks.items()):
        images[name] = f"{BASE}:{number}"
        options = f"--interval={INTERVAL} --timeout=5s"
        build(images[name], f"FROM {BASE}\nHEALTHCHECK {options} CMD {json.dumps(words)}\n", context)
    return images


def build(tag: str, dockerfile: str, context: Path) -> None:
    """Build an image from this Dockerfile. Raises EngineError."""
    file = context.parent / "Dockerfile"
    file.write_text(dockerfile)
    options = shlex.split(os.environ.get("IMAGE_OPTIONS", ""))
    environ = os.environ | {"DOCKER_BUILDKIT": "1"}
    docker("build", "--quiet", f"--file={file}", f"--tag={tag}", *options, str(context), **environ)


@contextmanager
def running(image: str, number: int, *options: str) -> Iterator[list[str]]:
    """Run a number of sleeping containers of the image."""
    settings = ["--network=host", "--init", *options]
    made = [docker("create", *settings, image, "sleep", "infinity") for _ in range(number)]
    try:
        docker("start", *made)
        yield made
    finally:
        remove_containers(*made)


def durations(images: Mapping[str, str]) -> dict[str, Spread]:
    """Return the seconds that checks take by the engine's record, by image; a few of each in turn."""
    found: dict[str, list[float]] = {name: [] for name in images}
    for _ in range(ROUNDS):
        for name, image in images.items():
            with running(image, 1) as (container,):
                found[name] += recorded(container)
    return {name: spread(figures) for name, figures in found.items()}


def recorded(container: str) -> list[float]:
    """Return the durations of a container's first checks, without the very first. Raises EngineError."""
    checks: dict[str, float] = {}

    def enough() -> bool:
        log = json.loads(docker("inspect", "--format={{json .State.Health.Log}}", container))
        for check in log:  # the last five
            if check["ExitCode"] == 0:
                start, end = (datetime.fromisoformat(check[what]) for what in ("Start", "End"))
                checks[check["Start"]] = (end - start).total_seconds()
        return len(checks) > CHECKS

    wait_until(f"{CHECKS} checks that pass", enough)
    return [checks[start] for start in sorted(checks)[1:]]


def growth(images: Mapping[str, str]) -> dict[str, dict[int, Cost]]:
    """Return the cost by competitor and number of containers, without that of the machine at rest."""
    found: dict[str, dict[int, Cost]] = {name: {} for name in images}
    rest = cost()
    for number in NUMBERS:
        for name, image in images.items():
            with running(image, number, "--health-interval=1s"):
                busy = cost()
            found[name][number] = Cost(max(0.0, busy.cores - rest.cores), busy.checks)
    return found


def cost() -> Cost:
    """Measure the machine as it is now."""
    time.sleep(SETTLING)
    with ended_checks() as ended:
        before, started = busy_seconds(), time.monotonic()
        time.sleep(WINDOW)
        passed = time.monotonic() - started
        cores = (busy_seconds() - before) / passed
    return Cost(cores, len(ended) / passed)


@contextmanager
def ended_checks() -> Iterator[list[str]]:
    """Collect a line for each check that ends before the block does; the list is filled at the end."""
    ended: list[str] = []
    watching = subprocess.Popen(
        ["docker", "events", "--filter=event=exec_die", "--format={{.ID}}"], stdout=subprocess.PIPE, text=True
    )
    try:
        yield ended
    finally:
        watching.terminate()
        output, _ = watching.communicate()
        ended += output.splitlines()


def busy_seconds() -> float:
    """Return the seconds that all processors have worked (proc(5), stat: user, nice, system, irq, softirq)."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(int(fields[index]) for index in (0, 1, 2, 5, 6)) / os.sysconf("SC_CLK_TCK")
