"""The build: the same bytes each time, and one line where something is missing."""

from pathlib import Path

import debian
import link
import pytest

from release import executable

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.release
@pytest.mark.timeout(600)
def test_a_second_build_in_another_folder_gives_the_same_bytes(binary: Path, tmp_path: Path) -> None:
    for file in executable.build_elsewhere(tmp_path):
        assert file.read_bytes() == (binary.parent / file.name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "build").iterdir() if path.name != "__pycache__") == sorted(
        path.name for path in (ROOT / "build").iterdir() if path.name != "__pycache__"
    )


@pytest.mark.parametrize("needed", ["no-such-command", Path("/nonexistent/libssl.a")], ids=["command", "file"])
def test_a_missing_package_is_named_with_the_command_to_type(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, needed: str | Path
) -> None:
    monkeypatch.setattr(link, "NEEDED", {"present": [Path("/")], "package-that-has-it": [needed]})
    with pytest.raises(debian.BuildError) as raised:
        link.launcher(tmp_path, "")
    assert str(raised.value) == "missing Debian packages: package-that-has-it; type: make packages"


def test_a_python_of_another_origin_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(link, "LIBPYTHON", Path("/opt/python/libpython3.11.a"))
    with pytest.raises(debian.BuildError, match="is not the distribution's.*; build with /usr/bin/python3"):
        link.launcher(tmp_path, "")


def test_another_revision_of_the_same_release_serves_where_the_own_is_not_to_be_had() -> None:
    listed = ["3.11.2-6", "3.11.2-6+deb12u10", "3.11.1-1", "3.11.2-6+deb12u9", "3.11.2-6+deb12u11"]
    records = "".join(f"Package: python3.11\nVersion: {version}\n" for version in listed)
    wanted = "3.11.2-6+deb12u11"
    assert debian.revisions(records, wanted) == [wanted, "3.11.2-6+deb12u10", "3.11.2-6+deb12u9", "3.11.2-6"]
