"""What stands in for a module of the library does what that does, as far as anybody asks for it."""

import inspect
import sys
from collections.abc import Callable, Iterator

import inspect_standin
import pytest
from hypothesis import given
from hypothesis import strategies as st


@given(st.text(st.sampled_from("a \t\n"), max_size=30))
def test_a_docstring_is_cleaned_as_by_inspect(doc: str) -> None:
    assert inspect_standin.cleandoc(doc) == inspect.cleandoc(doc)


def generator() -> Iterator[int]:
    yield 1


VALUES: dict[str, object] = {
    "function": test_a_docstring_is_cleaned_as_by_inspect,
    "generator function": generator,
    "generator": generator(),
    "lambda": lambda: 1,
    "built-in": len,
    "method": "".join,
    "class": str,
    "text": "text",
}


@pytest.mark.parametrize("question", ["isfunction", "isgeneratorfunction"])
@pytest.mark.parametrize("value", VALUES.values(), ids=list(VALUES))
def test_a_value_is_told_as_by_inspect(question: str, value: object) -> None:
    ours: Callable[[object], bool] = getattr(inspect_standin, question)
    assert ours(value) == getattr(inspect, question)(value)


def test_the_current_frame_is_the_callers() -> None:
    assert inspect_standin.currentframe() is sys._getframe()
