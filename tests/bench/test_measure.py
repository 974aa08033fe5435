"""What is said to be measured is measured: of commands whose costs are known."""

import sys
from pathlib import Path

import pytest

from bench.competitors import Competitor
from bench.footprint import left_behind, traced
from bench.measure import Command, MeasureError, Meter, Spread, instructions, spread

PYTHON = [sys.executable, "-I", "-c"]
ASKING = """
import os, socket, sys
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
connection.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
connection.recv(1)
"""
LITTERING = (
    """
import os, time
open(os.environ["TMPDIR"] + "/left", "wb").write(bytes(1000))
if not os.fork():
    time.sleep(60)
"""
    + ASKING
)


@pytest.fixture(scope="module")
def meter() -> Meter:
    return Meter()


def asks(words: list[str]) -> Competitor:
    return Competitor("", lambda port: [*words, str(port)], unhealthy=1, refused=1)


def test_a_spread_is_the_median_and_the_quartiles() -> None:
    assert spread([5, 1, 2, 4, 3]) == Spread(3, 2, 4, 5)
    assert spread([7]) == Spread(7, 7, 7, 1)


def test_a_run_has_its_costs(meter: Meter) -> None:
    cost = meter.run(Command([*PYTHON, "import time; memory = b'x' * 50_000_000; time.sleep(0.2)"]))
    assert 0.2 < cost.wall < 30
    assert 0 < cost.cpu < cost.wall
    assert 50e6 < cost.memory < 150e6
    assert cost.faults > 50e6 / 4096


def test_what_is_compared_runs_in_turn(meter: Meter, tmp_path: Path) -> None:
    commands = {name: Command(["/bin/sh", "-c", f"printf {name} >>{tmp_path}/order"]) for name in "ab"}
    costs = meter.in_turn(commands, 3)
    assert (tmp_path / "order").read_text() == "ab" * 4  # the first of each does not count
    assert {name: len(of_one) for name, of_one in costs.items()} == {"a": 3, "b": 3}


@pytest.mark.parametrize("words", [["/bin/false"], ["/nowhere"]], ids=["another status", "no such program"])
def test_a_run_that_ends_otherwise_measures_nothing(meter: Meter, words: list[str]) -> None:
    with pytest.raises(MeasureError, match=f"{words[0]}: ended with"):
        meter.run(Command(words))


def test_instructions_are_those_of_all_processes() -> None:
    one = instructions(Command(["/bin/true"]))
    assert one > 1000
    assert instructions(Command(["/bin/sh", "-c", "/bin/true; /bin/true"])) > 2 * one


def test_a_trace_finds_files_writes_and_processes(tmp_path: Path) -> None:
    (tmp_path / "read").write_bytes(bytes(10_000_000))
    trace = traced(Command(["/bin/sh", "-c", f": <{tmp_path}/read; printf 12345 >$TMPDIR/x; (/bin/true); exit 0"]))
    assert 10_000_000 < trace.bytes < 30_000_000
    assert trace.files >= 4  # that one, the shell, its library, the loader
    assert (trace.written, trace.processes, trace.populated) == (5, 1, 0)


def test_a_trace_counts_populated_pages() -> None:
    populating = "import mmap; mmap.mmap(-1, 1 << 20).madvise(23, 0, 10 * mmap.PAGESIZE + 1)"  # MADV_POPULATE_WRITE
    assert traced(Command([*PYTHON, populating])).populated == 11


def test_what_a_kill_leaves_is_found() -> None:
    assert left_behind(asks([*PYTHON, LITTERING])) == (1000, 1, 1)


def test_a_program_that_leaves_nothing_is_measured_so() -> None:
    assert left_behind(asks([*PYTHON, ASKING])) == (0, 0, 0)
