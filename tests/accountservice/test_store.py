"""The store: what is seeded, what is read, and what a crash leaves."""

import os
import subprocess
import sys
from pathlib import Path

import lmdb
import pytest

from accountservice.store import SEEDS, Store, StoreError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts.db"


def test_the_hundred_accounts_are_seeded_once(path: Path) -> None:
    store = Store(path)
    seeded = path.read_bytes()
    for number in (0, 42, 99):
        account = store.account(b"%d" % (10000 + number))
        assert account == b'{"id":"%d","name":"Person_%d"}' % (10000 + number, number)
    store.close()
    Store(path).close()
    assert path.read_bytes() == seeded
    assert list(path.parent.iterdir()) == [path]


def test_a_file_system_without_links_is_enough(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert Store(path).account(b"10000")
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("key", ["9999", "10100", "", "x" * 5000, "\0", "10000\0", "ä"])
def test_an_unknown_account_is_none(path: Path, key: str) -> None:
    assert Store(path).account(key.encode()) is None


def test_a_path_that_is_not_utf_8_is_accepted(tmp_path: Path) -> None:
    assert Store(tmp_path / "\udcff").account(b"10000")


def test_a_store_of_another_program_without_the_accounts_is_refused(path: Path) -> None:
    lmdb.open(str(path), subdir=False, lock=False).close()
    with pytest.raises(StoreError, match="the store has lost account 10000"):
        Store(path)


def test_an_account_that_a_damaged_page_hides_is_noticed(path: Path) -> None:
    """Two leaf pages have changed places: all records are there, and not found by their keys."""
    Store(path).close()
    data = path.read_bytes()
    path.write_bytes(data[:8192] + data[12288:16384] + data[8192:12288] + data[16384:])
    with pytest.raises(StoreError, match="the store has lost account"):
        Store(path)


def test_a_store_that_another_process_makes_meanwhile_is_left(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store(path).close()
    made = path.stat()
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    Store(path).close()
    assert os.path.samestat(path.stat(), made)
    assert list(path.parent.iterdir()) == [path]


# The process is killed while it writes the records: at the given one of them.
SEED_AND_DIE = """
import os, pathlib, signal, sys
from accountservice import store
class Dying(dict):
    def items(self):
        for number, item in enumerate(super().items(), 1):
            if number == int(sys.argv[2]):
                os.kill(os.getpid(), signal.SIGKILL)
            yield item
store.SEEDS = Dying(store.SEEDS)
store.Store(pathlib.Path(sys.argv[1]))
"""


@pytest.mark.parametrize("killed_at", [1, len(SEEDS)])
def test_a_kill_while_the_store_is_made_leaves_none(path: Path, killed_at: int) -> None:
    died = subprocess.run([sys.executable, "-c", SEED_AND_DIE, str(path), str(killed_at)], timeout=30)
    assert died.returncode == -9
    assert not path.exists()
    Store(path)
