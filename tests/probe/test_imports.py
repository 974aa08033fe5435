"""The core runs before the standard library can be imported, so it must not ask for any of it."""

import subprocess
import sys
from pathlib import Path

import pytest

# Records every module that the core's own imports name, also where it is loaded already.
RECORDER = """
import builtins, sys, _imp
real = builtins.__import__
asked = set()
def record(name, globals=None, locals=None, fromlist=(), level=0):
    if globals and str(globals.get("__name__")).startswith("probe"):
        asked.add(name)
    return real(name, globals, locals, fromlist, level)
builtins.__import__ = record
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
for module in sys.argv[2:]:
    real(module)
allowed = set(sys.builtin_module_names) | set(_imp._frozen_module_names()) | {"_socket", "_watchdog"}
loaded = set(sys.modules) - before
bad = {n for n in asked | loaded if n not in allowed and n.partition(".")[0] != "probe"}
print(" ".join(sorted(bad)))
"""


def foreign_imports(folder: str, *modules: str) -> list[str]:
    """What the modules import that is neither theirs nor in the interpreter."""
    command = [sys.executable, "-I", "-S", "-c", RECORDER, folder, *modules]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.split()


@pytest.mark.parametrize("module", ["probe.hot", "probe.http1"])
def test_the_core_imports_nothing_that_is_not_in_the_interpreter(module: str, pytestconfig: pytest.Config) -> None:
    assert foreign_imports(str(pytestconfig.rootpath), module) == []


def test_the_recorder_notices_a_foreign_import(tmp_path: Path) -> None:
    (tmp_path / "probe.py").write_text("import collections")
    assert "collections" in foreign_imports(str(tmp_path), "probe")
