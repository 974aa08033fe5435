"""The hooks before a commit look at each file that their part of `make lint` looks at."""

import re

import pytest
import yaml

from testing.project import ROOT

HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]

LOOKED_AT = {
    "probe/cli.py": {"python", "docs"},
    "pyproject.toml": {"python"},
    "build/pyinstaller.spec": {"python"},
    "build/bootloader/launcher.c": {"c"},
    "build/bootloader/layout.ld": {"c"},
    "build/bootloader/toolchain.py": {"python", "c"},  # it has the flags
    ".clang-tidy": {"c"},
    ".ci/run": {"shell"},
    "tools/lint-c": {"shell", "c"},
    "tools/make-venv": {"shell"},
    "tools/packages.py": {"python"},
    "tools/reference.py": {"python", "docs"},
    "Dockerfile.multistage": {"docker"},
    "compose.yaml": {"workflows"},
    ".github/dependabot.yml": {"workflows"},
    ".pre-commit-config.yaml": {"workflows"},
    "docs/healthchecker.1": {"docs"},
    "docs/bench/results.json": {"docs"},
    "bench/report.py": {"python", "docs"},
    "tools/release/changelog.py": {"python", "docs"},
    "CHANGELOG.md": {"docs"},
    "README.md": set(),
}


@pytest.mark.parametrize(("file", "hooks"), LOOKED_AT.items(), ids=list(LOOKED_AT))
def test_a_changed_file_is_looked_at_by_its_hooks(file: str, hooks: set[str]) -> None:
    assert (ROOT / file).exists()
    assert {hook["id"] for hook in HOOKS if re.search(hook["files"], file)} == hooks


def test_each_hook_is_a_part_of_lint() -> None:
    (parts,) = re.findall(r"^lint: ([a-z -]+) ##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert sorted(hook["entry"] for hook in HOOKS) == sorted(f"make {part}" for part in parts.split())
