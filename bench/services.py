"""The account service beside one in Go that answers the same, one processor core for the service and one for wrk."""

import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.competitors import SOURCES, built_by_go
from bench.containers import build
from bench.measure import PATIENCE, WORK, MeasureError, Spread, spread
from testing.project import ROOT
from testing.servers import free_port
from tools.docker_engine import inspect

OURS, GO = "accountservice", "Go"
ROUTES = ("/accounts/10042", "/health")
CONNECTIONS = (1, 32, 256)
ROUNDS = 4
SECONDS = 1  # of each run
STARTS = 10


class Load(NamedTuple):
    """Requests per second, and latencies in seconds: of half of them, of all but one in a hundred, in a thousand."""

    requests: Spread
    p50: Spread
    p99: Spread
    p999: Spread


class Running(NamedTuple):
    """A service that runs."""

    process: subprocess.Popen[bytes]
    port: int
    start: float  # seconds to its first healthy answer

    def memory(self) -> int:
        """Return the bytes of all its processes, of shared pages their share (proc_pid_smaps(5))."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        maps = "".join(Path(f"/proc/{process}/smaps_rollup").read_text() for process in (pid, *children))
        return sum(int(kilobytes) * 1024 for kilobytes in re.findall(r"\nPss:\s*(\d+) kB", maps))


def commands(folder: Path, port: int) -> dict[str, tuple[list[str], dict[str, str]]]:
    """How each is started: its words, its environment."""
    settings = {"ACCOUNTSERVICE_PORT": str(port), "ACCOUNTSERVICE_DB": str(folder / "accounts.db")}
    go = built_by_go("go-service", SOURCES / "service" / "main.go")
    return {
        OURS: ([sys.executable, "-m", "accountservice"], settings),
        GO: ([str(go), str(port), str(folder / "go.db")], {}),
    }


@contextmanager
def running(name: str, folder: Path) -> Iterator[Running]:
    """The service, on the first processor core, from its first healthy answer on."""
    port = free_port()
    words, environ = commands(folder, port)[name]
    started = time.monotonic()
    process = subprocess.Popen(["taskset", "--cpu-list", "0", *words], env=environ, stderr=subprocess.DEVNULL)
    try:
        wait_until_healthy(port)
        yield Running(process, port, time.monotonic() - started)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def wait_until_healthy(port: int) -> None:
    """Ask until the answer is 200, a thousand times per second. Raises MeasureError."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as asking:
                asking.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                if asking.recv(12) == b"HTTP/1.1 200":
                    return
        except OSError:
            pass
        time.sleep(0.001)
    raise MeasureError(f"port {port}: no healthy answer")


def load(port: int, route: str, connections: int) -> dict[str, float]:
    """What wrk measures, with what the names in latency.lua stand for. Raises MeasureError."""
    options = [
        "--threads=1",
        f"--connections={connections}",
        f"--duration={SECONDS}s",
        f"--script={ROOT}/bench/latency.lua",
    ]
    done = subprocess.run(
        ["taskset", "--cpu-list", "1", "wrk", *options, f"http://127.0.0.1:{port}{route}"],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    figures: dict[str, float] = json.loads((done.stdout.splitlines() or ["{}"])[-1])
    if done.returncode or figures.get("errors", 1):
        raise MeasureError(f"wrk {route} with {connections} connections: {done.stdout} {done.stderr}")
    return figures


def loads() -> tuple[dict[str, dict[int, dict[str, Load]]], dict[str, int]]:
    """By route, number of connections and service, run in turn; and the memory of each under load, in bytes."""
    found: dict[str, dict[int, dict[str, Load]]] = {}
    with tempfile.TemporaryDirectory() as folder, running(OURS, Path(folder)) as ours, running(GO, Path(folder)) as go:
        services = {OURS: ours, GO: go}
        for route in ROUTES:
            found[route] = {}
            for connections in CONNECTIONS:
                runs: dict[str, list[dict[str, float]]] = {name: [] for name in services}
                for _ in range(ROUNDS):
                    for name, service in services.items():
                        runs[name].append(load(service.port, route, connections))
                found[route][connections] = {name: summary(figures) for name, figures in runs.items()}
        return found, {name: service.memory() for name, service in services.items()}


def summary(runs: list[dict[str, float]]) -> Load:
    """Of several runs; wrk counts microseconds."""
    requests = spread(run["requests"] for run in runs)
    return Load(requests, *(spread(run[name] / 1e6 for run in runs) for name in ("p50", "p99", "p99.9")))


def starts() -> dict[str, Spread]:
    """Seconds from a start, with a store that exists, to the first healthy answer; in turn."""
    found: dict[str, list[float]] = {OURS: [], GO: []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(STARTS + 1):
            for name, figures in found.items():
                with running(name, Path(folder)) as service:
                    figures.append(service.start)
    return {name: spread(figures[1:]) for name, figures in found.items()}


def image_sizes() -> dict[str, int]:
    """Bytes of the images: ours as `make image` builds it, and Go's, which is the program and nothing else."""
    context = WORK / "go-context"
    context.mkdir(parents=True, exist_ok=True)
    program = built_by_go("go-service", SOURCES / "service" / "main.go")
    (context / program.name).write_bytes(program.read_bytes())
    build("healthchecker-bench:go-service", f"FROM scratch\nCOPY {program.name} /\n", context)
    tags = {OURS: "accountservice", GO: "healthchecker-bench:go-service"}
    return {name: inspect("image", tag)["Size"] for name, tag in tags.items()}
