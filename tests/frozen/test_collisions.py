"""Python's hashes are the same in every process, so that a server can choose keys that collide: it gains nothing."""

import json
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import pytest

from probe.http.response import HEAD_LIMIT, KNOWN_HEADERS
from testing import servers
from testing.certificates import Authority
from testing.executable import start
from testing.servers import serving

# Prints, of the texts that begin with the first argument, so many as the second says whose hashes end in the same bits.
SEARCH = """
import sys
from itertools import count, islice
beginning, wanted, bits, like = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
texts = (f"{beginning}{number}" for number in count())
mask = (1 << bits) - 1
print(*islice((text for text in texts if (hash(text) ^ hash(like)) & mask == 0), wanted))
"""


def colliding(beginning: str, wanted: int, bits: int, like: str) -> list[str]:
    """Texts whose hashes end in the same bits as another one's, in a process whose hashes have the seed 0."""
    command = [sys.executable, "-c", SEARCH, beginning, str(wanted), str(bits), like]
    found = subprocess.run(command, env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=True)
    return found.stdout.split()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("known", sorted(KNOWN_HEADERS), ids=lambda name: name.decode())
def test_colliding_header_names_keep_no_verdict_from_coming(
    binary: Path, authority: Authority, known: bytes, scheme: str
) -> None:
    names = colliding("x", 6000, 5, known.decode())  # a set of five names has 32 places
    head = "".join(["HTTP/1.1 200 OK\r\n", *(f"{name}:\n" for name in names), "\r\n"])
    assert HEAD_LIMIT * 0.75 < len(head) < HEAD_LIMIT
    tls = authority.context("127.0.0.1") if scheme == "https" else None
    with serving(servers.replying(head.encode()), tls=tls) as port:
        done = start([str(binary), f"{scheme}://127.0.0.1:{port}", "-k", "-t=5"])
    assert (done.returncode, done.stderr) == (0, b"")


def seconds_of_a_core(command: list[str]) -> float:
    """How long a process computes."""
    before = getrusage(RUSAGE_CHILDREN)
    assert start(command).returncode == 0
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.release
def test_colliding_json_keys_cost_what_others_do(newest: Path, tmp_path: Path) -> None:
    ordinary = [f"1.{number}" for number in range(100_000, 106_000)]
    keys = {"ordinary": ordinary, "colliding": colliding("1.", len(ordinary), 10, "1.0")}
    for name, versions in keys.items():
        (tmp_path / name).write_text(json.dumps(dict.fromkeys(versions, 0)))
    cost = {name: min(seconds_of_a_core([str(newest), str(tmp_path / name)]) for _ in range(5)) for name in keys}
    assert cost["colliding"] < 2 * cost["ordinary"]
