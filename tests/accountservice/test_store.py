"""The store: what is seeded, what is read, and what a crash leaves."""

import os
import subprocess
import sys
from pathlib import Path

import lmdb
import pytest

from accountservice.store import Store, StoreError


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "accounts.db")


def test_the_hundred_accounts_are_seeded(path: str) -> None:
    with Store(path) as store:
        assert store.seed() == 100
        for number in (0, 42, 99):
            account = store.account(b"%d" % (10000 + number))
            assert account == b'{"id":"%d","name":"Person_%d"}' % (10000 + number, number)


@pytest.mark.parametrize("key", ["9999", "10100", "", "x" * 5000, "\0", "10000\0", "ä"])
def test_an_unknown_account_is_none(path: str, key: str) -> None:
    with Store(path) as store:
        store.seed()
        assert store.account(key.encode()) is None


def test_seeding_again_changes_nothing(path: str) -> None:
    for _ in range(2):
        with Store(path) as store:
            store.seed()
            store.check()
    with lmdb.open(path, subdir=False) as environment:
        assert environment.stat()["entries"] == 100


def empty(path: str) -> None:
    """Make a store without a record."""
    lmdb.open(path, subdir=False).close()


def test_an_empty_store_fails_its_check(path: str) -> None:
    empty(path)
    with Store(path) as store, pytest.raises(StoreError, match="has lost account 10000"):
        store.check()


def test_a_damaged_record_fails_the_check(path: str) -> None:
    with Store(path) as store:
        store.seed()
    with lmdb.open(path, subdir=False) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"10000", b'{"id":"100')
    with Store(path) as store, pytest.raises(StoreError, match="has damaged account 10000"):
        store.check()


def test_a_file_that_is_no_store_is_an_error_that_names_it(path: str) -> None:
    Path(path).write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreError, match="cannot open the store '.*accounts.db': MDB_INVALID"):
        Store(path)


def test_a_path_that_is_no_utf_8_is_a_path_all_the_same(tmp_path: Path) -> None:
    with Store(str(tmp_path / "\udcff")) as store:
        assert store.seed() == 100


# The process is killed while it writes the records: at the given one of them.
SEED_AND_DIE = """
import os, signal, sys
from accountservice import store
class Dying(dict):
    def items(self):
        for number, item in enumerate(super().items(), 1):
            if number == int(sys.argv[2]):
                os.kill(os.getpid(), signal.SIGKILL)
            yield item
store.SEEDS = Dying({key: record.replace(b"Person", b"Half") for key, record in store.SEEDS.items()})
store.Store(sys.argv[1]).seed()
"""


@pytest.mark.parametrize("killed_at", [1, 50, 100])
@pytest.mark.parametrize("seeded", [True, False], ids=["over a full store", "over an empty one"])
def test_a_kill_while_seeding_leaves_all_accounts_or_none(path: str, killed_at: int, seeded: bool) -> None:
    if seeded:
        with Store(path) as store:
            store.seed()
    else:
        empty(path)
    died = subprocess.run([sys.executable, "-c", SEED_AND_DIE, path, str(killed_at)], timeout=30)
    assert died.returncode == -9
    with lmdb.open(path, subdir=False) as environment, environment.begin() as transaction:
        records = list(transaction.cursor())
        assert len(records) == (100 if seeded else 0)
        assert not any(b"Half" in record for _, record in records)
    with Store(path) as store:
        store.seed()
        store.check()


@pytest.mark.parametrize("killed_at", [1, 50, 100])
def test_a_kill_while_a_store_is_made_leaves_none(path: str, killed_at: int) -> None:
    died = subprocess.run([sys.executable, "-c", SEED_AND_DIE, path, str(killed_at)], timeout=30)
    assert died.returncode == -9
    assert not Path(path).exists()
    with Store(path) as store:
        store.check()


def test_a_store_that_another_makes_meanwhile_is_left_as_it_is(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(path):
        made = Path(path).stat()
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    with Store(path) as second:
        second.check()
    assert os.path.samestat(Path(path).stat(), made)
    assert sorted(found.name for found in Path(path).parent.iterdir()) == ["accounts.db", "accounts.db-lock"]


def test_a_file_system_without_links_gets_its_store_too(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    with Store(path) as store:
        store.check()
    assert sorted(found.name for found in Path(path).parent.iterdir()) == ["accounts.db", "accounts.db-lock"]


def test_an_account_that_a_damaged_page_hides_is_noticed(path: str) -> None:
    """Two leaf pages that have changed places: all records are there, and not found by their keys."""
    with Store(path) as store:
        store.seed()
    data = Path(path).read_bytes()
    Path(path).write_bytes(data[:8192] + data[12288:16384] + data[8192:12288] + data[16384:])
    with Store(path) as store, pytest.raises(StoreError, match="the store has lost account"):
        store.check()
