"""Fixtures of the probe's tests."""

import os
from collections.abc import Callable

import pytest


class Ended(BaseException):
    """Raised instead of the end of the process."""


@pytest.fixture
def exit_code(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], int]:
    """Calls a function that ends the process. Returns the exit code instead."""

    def end(code: int) -> None:
        raise Ended(code)

    def call(main: Callable[[], object]) -> int:
        with monkeypatch.context() as ending:
            ending.setattr(os, "_exit", end)
            with pytest.raises(Ended) as ended:
                main()
        code: int = ended.value.args[0]
        return code

    return call
