"""Checks by each competitor on each of its paths."""

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from bench.competitors import PATHS, Competitor, Targets
from bench.footprint import Footprint, footprint
from bench.measure import Cost, Meter, Spread, instructions, spread
from testing import servers
from testing.certificates import Authority
from testing.servers import free_port, serving
from testing.service import Service

ROUNDS = {"healthy": 40, "timeout": 3}
USUAL_ROUNDS = 15
COUNTED = ("healthy", "URL", "https", "help")  # valgrind takes seconds for each


@contextmanager
def targets() -> Iterator[Targets]:
    """Run a server for each path."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = Authority(folder)
        for part in ("healthy", "unhealthy"):
            (folder / part).mkdir()
        with (
            Service(folder / "healthy") as healthy,
            Service(folder / "unhealthy", ACCOUNTSERVICE_TESTABILITY="1") as unhealthy,
            serving(servers.wait_for_close) as silent,
            serving(servers.replying(servers.OK), tls=authority.context("127.0.0.1")) as https,
        ):
            healthy.wait_until_up()
            unhealthy.wait_until_up()
            unhealthy.ask("/testability/healthy/false")
            yield Targets(healthy.port, unhealthy.port, free_port(), silent, https, authority.file)


def compare(competitors: list[Competitor], targets: Targets, meter: Meter) -> dict[str, dict[str, dict[str, Spread]]]:
    """Run all competitors in turn. Return the costs by path, competitor and figure."""
    commands = {competitor.name: competitor.commands(targets) for competitor in competitors}
    found: dict[str, dict[str, dict[str, Spread]]] = {}
    for path in PATHS:
        able = {name: paths[path] for name, paths in commands.items() if path in paths}
        costs = meter.in_turn(able, ROUNDS.get(path, USUAL_ROUNDS))
        found[path] = {
            name: {figure: spread(getattr(cost, figure) for cost in runs) for figure in Cost._fields}
            for name, runs in costs.items()
        }
    return found


def counted(competitors: list[Competitor], targets: Targets) -> dict[str, dict[str, int]]:
    """Count instructions by path and competitor, on all cores: the counts do not depend on what else runs."""
    found: dict[str, dict[str, int]] = {path: {} for path in COUNTED}
    jobs = [
        (path, competitor.name, command)
        for competitor in competitors
        for path, command in competitor.commands(targets).items()
        if path in found
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = pool.map(instructions, [command for _, _, command in jobs])
        for (path, name, _), count in zip(jobs, counts, strict=True):
            found[path][name] = count
    return found


def footprints(competitors: list[Competitor], targets: Targets) -> dict[str, Footprint]:
    """Return the footprints by competitor. Raises MeasureError."""
    return {competitor.name: footprint(competitor, targets) for competitor in competitors}
