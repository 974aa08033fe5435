"""The accounts in their embedded key-value store: one LMDB file, written once, at the first start.

Who reads an account gets it as it was written, or an error. A record holds a checksum of its key and its content; the
seeded accounts are known, so that one which is missing is an error too, and the health check compares them all.
"""

import json
import os
import stat
import tempfile
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import lmdb

from probe.errors import os_reason
from probe.text import printable, quote

FIRST_ACCOUNT = 10000
SEEDED_ACCOUNTS = 100

MAP_SIZE = 16 * 1024 * 1024  # bytes of address space: LMDB's upper bound for the file, a hundred times what is needed
LOOK_INTERVAL = 0.01  # seconds between two looks at the file, before an account is read: they take as long as it
LOCK_PATIENCE = 5.0  # seconds that another process may keep the store locked
LOCK_SIZE = 8192  # bytes: of the file that LMDB keeps beside the store (mdb.c, MDB_txninfo and 126 readers)
CHECKSUM_SIZE = 4  # bytes: CRC-32

Result = TypeVar("Result")


class StoreError(Exception):
    """The store does not answer, or not with what was written; the text says why."""


def sealed(key: bytes, content: bytes) -> bytes:
    """A record: the content behind a checksum of its key and itself."""
    return zlib.crc32(content, zlib.crc32(key)).to_bytes(CHECKSUM_SIZE, "big") + content


def _seeds() -> dict[bytes, bytes]:
    accounts = {str(FIRST_ACCOUNT + number): f"Person_{number}" for number in range(SEEDED_ACCOUNTS)}
    return {
        key.encode(): sealed(key.encode(), json.dumps({"id": key, "name": name}, separators=(",", ":")).encode())
        for key, name in accounts.items()
    }


SEEDS = _seeds()


class Store:
    """The accounts by id. Every access is a transaction of its own; readers never wait."""

    def __init__(self, path: str) -> None:
        """Open the file, or make it. Raises StoreError."""
        self._path = Path(path)
        try:
            if not os.path.lexists(self._path):
                _make(self._path)
            self._require_regular_file()
            self._open()
        except (lmdb.Error, OSError) as error:
            raise StoreError(f"cannot open the store {quote(path)}: {_reason(error, path)}") from error
        self._file = self._look()
        self._looked = time.monotonic()
        self._longest_key = self._environment.max_key_size()

    def _open(self) -> None:
        """Open the file, and beside it the lock file that LMDB wants. Raises lmdb.Error, OSError."""
        lock = Path(f"{self._path}-lock")
        made = _allocate(lock)
        try:
            self._environment = lmdb.open(os.fsencode(self._path), subdir=False, map_size=MAP_SIZE, max_dbs=0)
        except (lmdb.InvalidError, lmdb.VersionMismatchError):  # then nobody else has any use for it either
            if made:
                lock.unlink()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._environment.close()

    def seed(self, locked: Callable[[], object] = lambda: None) -> int:
        """Make sure that the fake accounts are there, and tell how many.

        One transaction: whoever opens the file after a crash finds all of them or none. It waits while another process
        writes, and calls `locked` where that takes longer than LOCK_PATIENCE. Raises StoreError.
        """
        if self._seeded() == SEEDS:
            return SEEDED_ACCOUNTS
        waiting = threading.Timer(LOCK_PATIENCE, locked)
        waiting.daemon = True
        waiting.start()
        try:
            with self._environment.begin(write=True) as transaction:
                waiting.cancel()
                _write(transaction)
        except (lmdb.Error, OSError) as error:
            raise StoreError(f"cannot seed the store: {_reason(error)}") from error
        finally:
            waiting.cancel()
        self._file = self._look()
        self.check()
        return SEEDED_ACCOUNTS

    def account(self, key: bytes) -> bytes | None:
        """The account with that id, a JSON object; None where there is none. Raises StoreError."""
        if not 0 < len(key) <= self._longest_key:
            return None
        if time.monotonic() > self._looked + LOOK_INTERVAL:
            self._require_file()
        record = self._read(lambda transaction: transaction.get(key))
        seed = SEEDS.get(key)
        if record is None:
            if seed is not None:
                raise StoreError(f"the store has lost account {key.decode()}")
            return None
        content = record[CHECKSUM_SIZE:]
        if record != seed and record != sealed(key, content):
            raise StoreError(f"the store has damaged account {printable(key)}")
        return content

    def check(self) -> None:
        """Read all seeded accounts, in a real transaction. Raises StoreError where one is not as it was written."""
        found = self._seeded()
        if found == SEEDS:
            return
        for key, record in SEEDS.items():
            if found.get(key) != record:
                what = "damaged" if key in found else "lost"
                raise StoreError(f"the store has {what} account {key.decode()}")

    def _seeded(self) -> dict[bytes, bytes]:
        """The records of the seeded accounts, each looked up as `account` does it: a damaged page may hide one."""
        self._require_file()
        return dict(self._read(lambda transaction: transaction.cursor().getmulti(SEEDS)))

    def _read(self, read: "Callable[[lmdb.Transaction[bytes]], Result]") -> Result:
        """What is read in a transaction of its own. Raises StoreError."""
        try:
            try:
                with self._environment.begin() as transaction:
                    return read(transaction)
            except lmdb.ReadersFullError:  # perhaps of processes that were killed
                self._environment.reader_check()
                with self._environment.begin() as transaction:
                    return read(transaction)
        except (lmdb.Error, OSError) as error:
            raise StoreError(f"cannot read the store: {_reason(error)}") from error

    def _require_regular_file(self) -> None:
        """A directory or a pipe would be waited for, or written beside. Raises OSError."""
        if not stat.S_ISREG(self._path.stat().st_mode):
            raise OSError("it is not a file")

    def _look(self) -> os.stat_result:
        """What there is at the path now. Raises StoreError where there is nothing."""
        try:
            return self._path.stat()
        except OSError as error:
            raise StoreError(f"the store is gone: {_reason(error)}") from error

    def _require_file(self) -> None:
        """The file that was opened is the one at the path, and as long as it was. Raises StoreError.

        LMDB maps it: reading what was cut off would end the process (signals.py).
        """
        self._looked = -LOOK_INTERVAL  # until it is found good
        now = self._look()
        if not os.path.samestat(now, self._file):
            raise StoreError(f"the store is gone: {quote(str(self._path))} is another file now")
        if now.st_size < self._file.st_size:
            raise StoreError(f"the store was cut short: {now.st_size} bytes are left of {self._file.st_size}")
        self._looked = time.monotonic()


def _make(path: Path) -> None:
    """Make a seeded store at the path, at once or not at all, unless another has made one meanwhile. Raises OSError."""
    folder = path.parent
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".new", dir=folder)
    os.close(handle)
    try:
        with (
            lmdb.open(os.fsencode(name), subdir=False, map_size=MAP_SIZE, max_dbs=0, lock=False) as environment,
            environment.begin(write=True) as transaction,
        ):
            _write(transaction)
        Path(name).chmod(0o644)
        try:
            path.hardlink_to(name)  # unlike a renaming, it takes nobody's place
        except FileExistsError:
            return
        except OSError:  # a file system without links
            Path(name).rename(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _write(transaction: lmdb.Transaction) -> None:
    for key, record in SEEDS.items():
        transaction.put(key, record)


def _allocate(lock: Path) -> bool:
    """Give the lock file its place on the disk, and tell whether it was made here.

    LMDB maps it: on a full disk, touching a part of it that has no place were a crash. Raises OSError.
    """
    made = not lock.exists()
    with lock.open("ab") as file:
        found = os.fstat(file.fileno())
        if found.st_size >= LOCK_SIZE and found.st_blocks * 512 >= LOCK_SIZE:
            return made
        try:
            os.posix_fallocate(file.fileno(), 0, LOCK_SIZE)
        except OSError:
            if made:
                lock.unlink()
            raise
    return made


def _reason(error: Exception, path: str = "") -> str:
    """The words of the system or of LMDB, which begins with the path, or with a name of its own: MDB_MAP_FULL."""
    if isinstance(error, OSError):
        return os_reason(error)
    words = str(error).removeprefix(f"{path}: ")
    return printable(words if words.startswith("MDB_") else words[:1].lower() + words[1:])
