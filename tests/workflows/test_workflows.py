"""GitHub's workflows name only what there is: targets of the Makefile, scripts, files that those make, artifacts."""

import fnmatch
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from release import executable, folder, images

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = {
    target
    for line in re.findall(r"^([a-z][a-z -]*):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in line.split()
}
ARCHITECTURES = list(executable.MACHINES.values())
MADE = {
    *(f"dist/{file}" for each in ARCHITECTURES for file in executable.beside(executable.name(each))),
    *(f"dist/release/{file}" for each in ARCHITECTURES for file in executable.beside(executable.name(each))),
    *(str(path.relative_to(ROOT)) for path in (executable.PUBLISHED / executable.GLIBC, folder.FOLDER, folder.NOTES)),
    f"dist/release/{folder.SUMS}",
}

every_workflow = pytest.mark.parametrize("workflow", WORKFLOWS, ids=[path.name for path in WORKFLOWS])


def jobs(workflow: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(workflow.read_text())["jobs"]
    return found


def steps(workflow: Path) -> Iterator[dict[str, Any]]:
    """Each step, once for each architecture where its job has both."""
    for job in jobs(workflow).values():
        for step in job.get("steps", []):
            text = yaml.safe_dump(step)
            for architecture in ARCHITECTURES if "matrix.architecture" in text else ["any"]:
                expanded: dict[str, Any] = yaml.safe_load(text.replace("${{ matrix.architecture }}", architecture))
                yield expanded


def commands(workflow: Path) -> list[str]:
    return [line for step in steps(workflow) for line in step.get("run", "").splitlines()]


@every_workflow
def test_each_target_that_is_made_is_one_of_the_makefile(workflow: Path) -> None:
    for command in commands(workflow):
        words = re.sub(r"^\S+=\S+ ", "", command).split()
        if "make" in words:
            named = [word for word in words[words.index("make") + 1 :] if "=" not in word]
            assert named, command
            assert set(named) <= TARGETS, command


@every_workflow
def test_each_step_is_one_that_can_be_taken_by_hand(workflow: Path) -> None:
    for command in commands(workflow):
        first = command.split()[0]
        assert first in ("make", "gh") or os.access(ROOT / first, os.X_OK), command


@every_workflow
def test_each_path_under_dist_is_made(workflow: Path) -> None:
    for step in steps(workflow):
        for path in re.findall(r"\bdist/[\w./*-]+", yaml.safe_dump(step)):
            assert any(fnmatch.fnmatch(made, path) or made.startswith(path.rstrip("*")) for made in MADE), path


@every_workflow
def test_each_artifact_that_is_downloaded_was_uploaded(workflow: Path) -> None:
    uploaded = [step["with"]["name"] for step in steps(workflow) if "upload-artifact" in step.get("uses", "")]
    wanted = [step["with"]["pattern"] for step in steps(workflow) if "download-artifact" in step.get("uses", "")]
    assert len(uploaded) == len(set(uploaded))
    for pattern in wanted:
        assert len(fnmatch.filter(uploaded, pattern)) == len(ARCHITECTURES)


@every_workflow
def test_each_action_is_pinned_to_a_commit_with_its_version_beside(workflow: Path) -> None:
    used = re.findall(r"^ +(?:- )?uses: (.+)$", workflow.read_text(), re.MULTILINE)
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\$/\.github/workflows/ci\.yml", action)


@every_workflow
def test_no_job_has_more_than_it_names(workflow: Path) -> None:
    assert yaml.safe_load(workflow.read_text())["permissions"] == {}
    assert all(job["permissions"]["contents"] in ("read", "write") for job in jobs(workflow).values())
    assert "secrets." not in workflow.read_text()


def test_each_output_of_a_step_is_written_by_it() -> None:
    used = set(re.findall(r"steps\.images\.outputs\.([\w-]+)", (ROOT / ".github/workflows/release.yml").read_text()))
    assert used == {*images.IMAGES, *(f"{name}-digest" for name in images.IMAGES)}


def test_what_is_tested_is_every_python_from_the_oldest_that_is_promised() -> None:
    versions = jobs(ROOT / ".github/workflows/ci.yml")["source"]["strategy"]["matrix"]["python"]
    assert versions == [f"3.{minor}" for minor in range(11, 15)]
