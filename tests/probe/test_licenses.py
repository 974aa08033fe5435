"""The licences that the Python package shows."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

import pytest

from probe import __version__, licenses
from tests.conftest import PATIENCE


@pytest.mark.parametrize("name", ["certifi", "charset-normalizer", "click", "idna", "requests", "urllib3"])
def test_each_package_that_it_needs_is_listed_with_its_licence_text(name: str) -> None:
    text = licenses.text()
    assert f"\n{name} {version(name)}: " in text
    files = [file for file in distribution(name).files or [] if file.name.startswith("LICENSE")]
    for file in files:
        assert Path(str(file.locate())).read_text().strip() in text
    assert files


def test_its_own_licence_comes_first() -> None:
    text = licenses.text()
    assert text.startswith("healthchecker ")
    assert text.index((Path(__file__).parents[2] / "LICENSE").read_text().strip()) < text.index("Apache License")


def test_a_copy_that_is_not_installed_names_its_own_licence(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(licenses, "distribution", nothing)
    assert licenses.text() == f"healthchecker {__version__}: MIT\n"


def test_who_reads_it_by_the_page_gets_all_of_it(command: list[str]) -> None:
    late = [sys.executable, "-c", "import sys, time; time.sleep(0.5); sys.stdout.write(sys.stdin.read())"]
    with subprocess.Popen([*command, "--licenses"], stdout=subprocess.PIPE) as shown:
        read = subprocess.run(late, stdin=shown.stdout, capture_output=True, timeout=PATIENCE)
        assert shown.wait(PATIENCE) == 0
    whole = subprocess.run([*command, "--licenses"], capture_output=True, timeout=PATIENCE)
    assert read.stdout == whole.stdout
    assert len(whole.stdout) > 16_384
