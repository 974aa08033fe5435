"""The accounts in their embedded key-value store: one LMDB file, one process that writes it once, at start."""

import json
import os
from types import TracebackType
from typing import Self

import lmdb

FIRST_ACCOUNT = 10000
SEEDED_ACCOUNTS = 100

MAP_SIZE = 16 * 1024 * 1024  # bytes of address space: LMDB's upper bound for the file, a hundred times what is needed


class StoreError(Exception):
    """The store does not answer; the text says why."""


class Store:
    """The accounts by id. Every access is a transaction of its own; readers never wait."""

    def __init__(self, path: str) -> None:
        """Open the file, or make it. Raises StoreError."""
        try:
            self._environment = lmdb.open(os.fsencode(path), subdir=False, map_size=MAP_SIZE, max_dbs=0)
        except (lmdb.Error, OSError) as error:
            raise StoreError(f"cannot open the store: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._environment.close()

    def seed(self) -> int:
        """Write the fake accounts and tell how many.

        One transaction: whoever opens the file after a crash finds all of them or none. Raises StoreError.
        """
        try:
            with self._environment.begin(write=True) as transaction:
                for number in range(SEEDED_ACCOUNTS):
                    key = str(FIRST_ACCOUNT + number)
                    record = json.dumps({"id": key, "name": f"Person_{number}"}, separators=(",", ":"))
                    transaction.put(key.encode(), record.encode())
        except (lmdb.Error, OSError) as error:
            raise StoreError(f"cannot seed the store: {error}") from error
        return SEEDED_ACCOUNTS

    def account(self, key: str) -> dict[str, str] | None:
        """The account with that id, in the order of its fields; None where there is none. Raises StoreError."""
        data = key.encode()
        if not 0 < len(data) <= self._environment.max_key_size():
            return None
        try:
            with self._environment.begin() as transaction:
                record = transaction.get(data)
        except (lmdb.Error, OSError) as error:
            raise StoreError(f"cannot read the store: {error}") from error
        return None if record is None else _parsed(record)

    def check(self) -> None:
        """Read a known account in a real transaction. Raises StoreError where that fails."""
        account = self.account(str(FIRST_ACCOUNT))
        if account is None or account.get("id") != str(FIRST_ACCOUNT):
            raise StoreError(f"the store has no account {FIRST_ACCOUNT}")


def _parsed(record: bytes) -> dict[str, str]:
    try:
        account = json.loads(record)
    except ValueError as error:
        raise StoreError("the store holds a damaged record") from error
    if not isinstance(account, dict):
        raise StoreError("the store holds a damaged record")
    return account
