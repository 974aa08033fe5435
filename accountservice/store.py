"""The accounts in an embedded key-value store: one LMDB file, written once and then only read.

An account is read as it was written, or reading it is an error. A record begins with a checksum of its key and its
content. The seeded accounts are known, so a missing one is an error too.
"""

import ctypes
import json
import mmap
import os
import stat
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb

FIRST_ACCOUNT = 10000
SEEDED_ACCOUNTS = 100
KNOWN = b"10000"  # the account that every health check reads

MAP_SIZE = 16 * 1024 * 1024  # bytes of address space, and LMDB's upper bound for the file
LONGEST_KEY = 511  # bytes (lmdb.h, mdb_env_get_maxkeysize)
CHECKSUM_SIZE = 4  # bytes of a CRC-32
FULL_CHECK_INTERVAL = 1.0  # seconds between two comparisons of all seeded accounts


class StoreError(Exception):
    """The store cannot be read, or not as it was written. The text gives the reason."""


def sealed(key: bytes, content: bytes) -> bytes:
    """Return a record: the content behind a checksum of its key and itself."""
    return zlib.crc32(content, zlib.crc32(key)).to_bytes(CHECKSUM_SIZE, "big") + content


def _seed(number: int) -> tuple[bytes, bytes]:
    account = {"id": str(FIRST_ACCOUNT + number), "name": f"Person_{number}"}
    key = account["id"].encode()
    return key, sealed(key, json.dumps(account, separators=(",", ":")).encode())


SEEDS = dict(_seed(number) for number in range(SEEDED_ACCOUNTS))


class Store:
    """The accounts by id."""

    def __init__(self, path: Path) -> None:
        """Make and seed the file unless it exists, and check it. Raises StoreError."""
        self._path = path
        self._name = repr(str(path))  # for messages: a path may contain line ends
        self._environment: lmdb.Environment | None = None
        self._least_size = 2 * 4096  # bytes of the pages that LMDB uses; before they are known, of its first two
        # When all accounts were last found right, in monotonic seconds; shared with the processes forked from this one.
        self._checked = ctypes.c_double.from_buffer(mmap.mmap(-1, ctypes.sizeof(ctypes.c_double)))
        self._checked.value = -FULL_CHECK_INTERVAL
        with self._opening():
            if not os.path.lexists(path):
                _make(path)
            self._file = path.stat()
            if not stat.S_ISREG(self._file.st_mode):  # LMDB would wait for a pipe
                raise OSError("it is not a file")
        self.check()

    def close(self) -> None:
        """Close the file until the next access: an open LMDB environment must not pass a fork (lmdb.h)."""
        if self._environment:
            self._environment.close()
        self._environment = None

    def account(self, key: bytes) -> bytes | None:
        """Return the JSON object of an account, None for an unknown one. Raises StoreError."""
        if not 0 < len(key) <= LONGEST_KEY:
            return None
        with self._transaction() as transaction:
            record = transaction.get(key)
        if record is None and key not in SEEDS:
            return None
        try:
            return _content(key, record)
        except StoreError:
            self._checked.value = -FULL_CHECK_INTERVAL
            raise

    def check(self) -> None:
        """Read a known account in a transaction, and once a second all seeded ones. Raises StoreError."""
        now = time.monotonic()
        if now < self._checked.value + FULL_CHECK_INTERVAL:
            self._compare(KNOWN)
            return
        self._checked.value = -FULL_CHECK_INTERVAL  # every process compares all of them until they are right
        self._compare(*SEEDS)
        self._checked.value = now

    def _compare(self, *keys: bytes) -> None:
        with self._transaction() as transaction:
            for key in keys:
                _content(key, transaction.get(key))

    @contextmanager
    def _transaction(self) -> "Iterator[lmdb.Transaction[bytes]]":
        environment = self._required()
        try:
            with environment.begin() as transaction:
                yield transaction
        except lmdb.Error as error:
            raise StoreError(f"cannot read the store: {_reason(error)}") from error

    def _required(self) -> lmdb.Environment:
        """Return the open store if its file is still there and whole. Raises StoreError.

        LMDB maps the file: reading what was cut off would end the process by SIGBUS.
        """
        try:
            file = self._path.stat()
        except OSError as error:
            raise StoreError(f"the store is gone: {_reason(error)}") from error
        if not os.path.samestat(file, self._file):
            raise StoreError(f"the store is gone: {self._name} is another file now")
        self._require_size(file.st_size)
        if self._environment is None:
            with self._opening():  # without LMDB's lock file, which only readers beside a writer need
                self._environment = lmdb.open(
                    os.fsencode(self._path), subdir=False, map_size=MAP_SIZE, max_dbs=0, readonly=True, lock=False
                )
            self._least_size = (self._environment.info()["last_pgno"] + 1) * self._environment.stat()["psize"]
            self._require_size(file.st_size)
        return self._environment

    def _require_size(self, size: int) -> None:
        if size < self._least_size:
            raise StoreError(f"the store was cut short: {size} bytes are left of {self._least_size}")

    @contextmanager
    def _opening(self) -> Iterator[None]:
        try:
            yield
        except (lmdb.Error, OSError) as error:
            raise StoreError(f"cannot open the store {self._name}: {_reason(error)}") from error


def _make(path: Path) -> None:
    """Make a seeded store, whole or not at all, unless another process does so meanwhile.

    Raises OSError, lmdb.Error.
    """
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".new", dir=path.parent)
    os.close(handle)
    made = Path(name)
    try:
        with (
            lmdb.open(os.fsencode(name), subdir=False, map_size=MAP_SIZE, max_dbs=0, lock=False) as environment,
            environment.begin(write=True) as transaction,
        ):
            for key, record in SEEDS.items():
                transaction.put(key, record)
        made.chmod(0o644)
        try:
            path.hardlink_to(made)  # a rename would replace the other process's file
        except FileExistsError:
            return
        except OSError:  # a file system without links
            made.rename(path)
    finally:
        made.unlink(missing_ok=True)


def _content(key: bytes, record: bytes | None) -> bytes:
    """Return a record's content. Raises StoreError unless it is as it was written."""
    name = ascii(key.decode("utf-8", "replace"))[1:-1]
    if record is None:
        raise StoreError(f"the store has lost account {name}")
    content = record[CHECKSUM_SIZE:]
    if record != (SEEDS.get(key) or sealed(key, content)):
        raise StoreError(f"the store has damaged account {name}")
    return content


def _reason(error: Exception) -> str:
    """Return the words of the system or of LMDB, without the path or the name that LMDB begins with."""
    words = (error.strerror if isinstance(error, OSError) else None) or str(error).rpartition(": ")[2]
    return words[:1].lower() + words[1:]
