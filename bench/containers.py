"""Checks made by Docker: how long the engine says that each takes, and what many of them cost the machine.

The containers do nothing but sleep, in the host's network, where one service answers all of them: so what differs is
the check alone. Those that /bin/true makes are the floor, for the engine itself takes tens of milliseconds to start
anything in a container.
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

from bench.contenders import Contender
from bench.measure import WORK, Spread, spread
from tools.docker_engine import docker, remove_containers, wait_until

BASE = "healthchecker-bench"
FLOOR = "/bin/true"
INTERVAL = "250ms"  # between two checks, for their duration
CHECKS = 8  # in a row, of each
ROUNDS = 2
NUMBERS = (1, 10, 30)  # containers at once, with a check each second
SETTLING = 1.0  # seconds for the containers' starts to be over
WINDOW = 6.0  # seconds of which the cost is taken

DOCKERFILE = """
FROM debian:trixie-slim
RUN apt-get update && apt-get install --yes --no-install-recommends curl wget && rm -rf /var/lib/apt/lists/*
COPY programs /opt
"""


class Cost(NamedTuple):
    """What so many containers cost: processor cores in use, and checks that ended, per second."""

    cores: float
    checks: float


def prepare(contenders: list[Contender], port: int) -> dict[str, str]:
    """Build an image for each contender, with its check of the port; their names."""
    context = WORK / "context"
    shutil.rmtree(context, ignore_errors=True)
    (context / "programs").mkdir(parents=True)
    checks: dict[str, list[str]] = {FLOOR: [FLOOR]}
    for contender in contenders:
        program, *arguments = contender.check(port)
        if not program.startswith("/usr"):  # which the image has from Debian, too
            shutil.copy(program, context / "programs")
            program = f"/opt/{Path(program).name}"
        checks[contender.name] = [program, *arguments]
    build(BASE, DOCKERFILE, context)
    images = {}
    for number, (name, words) in enumerate(checks.items()):
        images[name] = f"{BASE}:{number}"
        options = f"--interval={INTERVAL} --timeout=5s"
        build(images[name], f"FROM {BASE}\nHEALTHCHECK {options} CMD {json.dumps(words)}\n", context)
    return images


def build(tag: str, dockerfile: str, context: Path) -> None:
    """Build an image of this Dockerfile."""
    file = context.parent / "Dockerfile"
    file.write_text(dockerfile)
    options = shlex.split(os.environ.get("IMAGE_OPTIONS", ""))
    environ = os.environ | {"DOCKER_BUILDKIT": "1"}
    docker("build", "--quiet", f"--file={file}", f"--tag={tag}", *options, str(context), **environ)


@contextmanager
def running(image: str, number: int, *options: str) -> Iterator[list[str]]:
    """So many containers of the image, that sleep."""
    settings = ["--network=host", "--init", *options]
    made = [docker("create", *settings, image, "sleep", "infinity") for _ in range(number)]
    try:
        docker("start", *made)
        yield made
    finally:
        remove_containers(*made)


def durations(images: Mapping[str, str]) -> dict[str, Spread]:
    """Seconds from the start of a check to its end, by the engine's own record, a few of each in turn."""
    found: dict[str, list[float]] = {name: [] for name in images}
    for _ in range(ROUNDS):
        for name, image in images.items():
            with running(image, 1) as (container,):
                found[name] += recorded(container)
    return {name: spread(figures) for name, figures in found.items()}


def recorded(container: str) -> list[float]:
    """The durations of its first checks but for the very first. Raises EngineError where there are none."""
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
    """By contender and number of containers: what their checks cost the machine, beside what it does at rest."""
    found: dict[str, dict[int, Cost]] = {name: {} for name in images}
    rest = cost()
    for number in NUMBERS:
        for name, image in images.items():
            with running(image, number, "--health-interval=1s"):
                busy = cost()
            found[name][number] = Cost(max(0.0, busy.cores - rest.cores), busy.checks)
    return found


def cost() -> Cost:
    """What the machine does now."""
    time.sleep(SETTLING)
    with ended_checks() as ended:
        before, started = busy_seconds(), time.monotonic()
        time.sleep(WINDOW)
        passed = time.monotonic() - started
        cores = (busy_seconds() - before) / passed
    return Cost(cores, len(ended) / passed)


@contextmanager
def ended_checks() -> Iterator[list[str]]:
    """A list that has, at the end, a line for each check that has ended meanwhile."""
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
    """What all processors have done since the machine's start (proc(5), stat: user, nice, system, irq, softirq)."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(int(fields[index]) for index in (0, 1, 2, 5, 6)) / os.sysconf("SC_CLK_TCK")
