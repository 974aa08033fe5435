"""GitHub's workflows name only what there is: targets, scripts, files that those make, artifacts, jobs, runners."""

import fnmatch
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from testing.project import ROOT
from tools.image import IMAGES
from tools.release import executable, folder

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CI, RELEASE = (ROOT / ".github" / "workflows" / name for name in ("ci.yml", "release.yml"))
TARGETS = {
    target
    for line in re.findall(r"^([a-z][a-z -]*):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in line.split()
}

RUNNERS = {"amd64": "ubuntu-24.04", "arm64": "ubuntu-24.04-arm"}
ARCHITECTURES = list(RUNNERS)
BUILT = [executable.PUBLISHED / file for each in ARCHITECTURES for file in executable.beside(executable.name(each))]
BUILT.append(executable.PUBLISHED / executable.GLIBC)
RELEASED = [folder.FOLDER / file for file in [*(path.name for path in BUILT), folder.SUMS]]
MADE = [*BUILT, *RELEASED, executable.PUBLISHED, folder.FOLDER, folder.NOTES]

TRIGGERS = {
    CI: {"push": {"branches": ["main"]}, "pull_request": None, "workflow_call": None},
    RELEASE: {"push": {"tags": ["v*"]}},
}
PERMISSIONS = {  # of those jobs that may do more than read the sources
    "build": {"contents": "read", "packages": "write"},  # pushes the images of its architecture
    "publish": {
        "contents": "write",  # creates the release
        "packages": "write",  # joins the images, and pushes what is attested of them
        "id-token": "write",  # signs what is attested
        "attestations": "write",  # stores it
    },
}
WAITS_FOR = {"tag": None, "test": "tag", "build": "test", "publish": "build"}
TAKES = {  # the targets, and where between them it logs in to the registry
    "tag": ["release-tag"],
    "test": [],
    "build": ["release-executable", "release-folder", "image", "docker/login-action", "release-push"],
    "publish": ["release-folder", "docker/login-action", "release-join"],
}

Mapping = dict[Any, Any]  # of YAML; the key `on` is read as True

every_workflow = pytest.mark.parametrize("workflow", WORKFLOWS, ids=[path.name for path in WORKFLOWS])


def read(workflow: Path) -> Mapping:
    found: Mapping = yaml.safe_load(workflow.read_text())
    return found


def jobs(workflow: Path) -> dict[str, Mapping]:
    found: dict[str, Mapping] = read(workflow)["jobs"]
    return found


def entries(job: Mapping) -> list[dict[str, str]]:
    """What the job's matrix has: an empty entry where there is no matrix."""
    matrix = job.get("strategy", {}).get("matrix", {})
    return matrix.get("include") or [{key: value} for key, values in matrix.items() for value in values] or [{}]


def expanded(job: Mapping) -> Iterator[Mapping]:
    """The job, once for each entry of its matrix."""
    for entry in entries(job):
        text = yaml.safe_dump(job)
        for key, value in entry.items():
            text = text.replace(f"${{{{ matrix.{key} }}}}", value)
        yield yaml.safe_load(text)


def steps(*found: Mapping) -> list[Mapping]:
    """Each step of the jobs, once for each entry of its job's matrix."""
    return [step for job in found for each in expanded(job) for step in each.get("steps", [])]


def settings(found: list[Mapping], action: str) -> list[Mapping]:
    """What the steps that use the action give to it."""
    return [step["with"] for step in found if step.get("uses", "").startswith(f"{action}@")]


def commands(found: list[Mapping]) -> list[str]:
    return [line for step in found for line in step.get("run", "").splitlines()]


def targets(command: str) -> list[str]:
    words = re.sub(r"^\S+=\S+ ", "", command).split()
    return [word for word in words[words.index("make") + 1 :] if "=" not in word] if "make" in words else []


def has(path: str, file: Path) -> bool:
    """Whether the path, a folder's or a pattern, has the file."""
    return file.match(str(ROOT / path)) or ROOT / path in file.parents


@every_workflow
def test_it_starts_when_it_should(workflow: Path) -> None:
    assert read(workflow)[True] == TRIGGERS[workflow]


@every_workflow
def test_each_target_that_is_made_is_one_of_the_makefile(workflow: Path) -> None:
    for command in commands(steps(*jobs(workflow).values())):
        if "make" in command.split():
            assert targets(command), command
            assert set(targets(command)) <= TARGETS, command


@every_workflow
def test_each_step_is_one_that_can_be_taken_by_hand(workflow: Path) -> None:
    for command in commands(steps(*jobs(workflow).values())):
        first = command.split()[0]
        assert first in ("make", "gh") or os.access(ROOT / first, os.X_OK), command


@every_workflow
def test_each_path_under_dist_is_made(workflow: Path) -> None:
    for step in steps(*jobs(workflow).values()):
        for path in re.findall(r"(?<![\w./-])dist/[\w./*-]+", yaml.safe_dump(step)):
            assert any(made.match(str(ROOT / path)) for made in MADE), path


@every_workflow
def test_each_job_that_is_waited_for_is_there(workflow: Path) -> None:
    for job in jobs(workflow).values():
        needed = job.get("needs", [])
        assert set([needed] if isinstance(needed, str) else needed) <= set(jobs(workflow))


@every_workflow
def test_each_step_that_is_referred_to_comes_before(workflow: Path) -> None:
    for job in jobs(workflow).values():
        before: set[str] = set()
        for step in job.get("steps", []):
            assert set(re.findall(r"\bsteps\.([\w-]+)", yaml.safe_dump(step))) <= before
            before.add(step.get("id", ""))


@every_workflow
def test_each_entry_of_a_matrix_has_what_its_job_uses_and_no_more(workflow: Path) -> None:
    for job in jobs(workflow).values():
        used = set(re.findall(r"\bmatrix\.(\w+)", yaml.safe_dump(job)))
        assert [set(entry) for entry in entries(job)] == [used] * len(entries(job))


@every_workflow
def test_each_architecture_has_its_runner(workflow: Path) -> None:
    for job in jobs(workflow).values():
        if "steps" in job:
            found = [entry.get("architecture", "amd64") for entry in entries(job)]
            assert [each["runs-on"] for each in expanded(job)] == [RUNNERS[architecture] for architecture in found]
            assert "runner" not in entries(job)[0] or found == ARCHITECTURES


@every_workflow
def test_each_artifact_has_a_name_of_its_own_and_files(workflow: Path) -> None:
    uploaded = settings(steps(*jobs(workflow).values()), "actions/upload-artifact")
    assert len(uploaded) == len({each["name"] for each in uploaded})
    assert all(each["if-no-files-found"] == "error" for each in uploaded)


def test_what_was_built_is_published_from_where_it_was_built() -> None:
    uploaded = settings(steps(jobs(RELEASE)["build"]), "actions/upload-artifact")
    (back,) = settings(steps(jobs(RELEASE)["publish"]), "actions/download-artifact")
    assert all(fnmatch.fnmatch(each["name"], back["pattern"]) for each in uploaded)
    paths = [path for each in uploaded for path in each["path"].split()]
    assert [file for file in BUILT if not any(has(path, file) for path in paths)] == []
    # An artifact has no more of a path than what lies behind the folder that all its files have in common.
    assert all(executable.PUBLISHED in (ROOT / path, (ROOT / path).parent) for path in paths)
    assert (ROOT / back["path"], back["merge-multiple"]) == (executable.PUBLISHED, True)


@every_workflow
def test_each_action_is_pinned_to_a_commit_with_its_version_beside(workflow: Path) -> None:
    used = re.findall(r"^ +(?:- )?uses: (.+)$", workflow.read_text(), re.MULTILINE)
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\$/\.github/workflows/ci\.yml", action)


@every_workflow
def test_no_job_has_more_than_it_needs(workflow: Path) -> None:
    assert read(workflow)["permissions"] == {}
    for name, job in jobs(workflow).items():
        assert job["permissions"] == PERMISSIONS.get(name, {"contents": "read"}), name
    assert "secrets." not in workflow.read_text()


def test_a_release_takes_its_steps_in_their_order() -> None:
    found = jobs(RELEASE)
    assert {name: job.get("needs") for name, job in found.items()} == WAITS_FOR
    assert found["test"]["uses"].endswith("/.github/workflows/ci.yml")
    for name, job in found.items():
        taken = [
            target
            for step in job.get("steps", [])
            for target in [step.get("uses", "").partition("@")[0], *targets(step.get("run", ""))]
        ]
        assert [target for target in taken if target in TARGETS | {"docker/login-action"}] == TAKES[name], name


def test_a_release_has_its_settings() -> None:
    registry = "ghcr.io"
    assert read(RELEASE)["env"] == {
        "TAG": "${{ github.ref_name }}",
        "REGISTRY": f"{registry}/${{{{ github.repository_owner }}}}",
    }
    for login in settings(steps(*jobs(RELEASE).values()), "docker/login-action"):
        assert login["registry"] == registry
    (assemble,) = (step for step in steps(jobs(RELEASE)["publish"]) if step.get("run") == "make release-folder")
    assert assemble["env"]["ARCHITECTURES"].split() == ARCHITECTURES == list(executable.MACHINES.values())


def test_each_file_and_each_image_is_attested() -> None:
    attested = settings(steps(jobs(RELEASE)["publish"]), "actions/attest")
    files = [f"dist/release/{executable.name(each)}" for each in ARCHITECTURES]
    outputs = {f"${{{{ steps.images.outputs.{name} }}}}" for name in IMAGES}
    assert [each["subject-checksums"] for each in attested if "subject-checksums" in each] == [
        f"dist/release/{folder.SUMS}"
    ]
    assert {each["subject-path"]: each["sbom-path"] for each in attested if "subject-path" in each} == {
        file: f"{file}.cdx.json" for file in files
    }
    assert {each["subject-name"]: each["subject-digest"] for each in attested if "subject-name" in each} == {
        output: output.replace(" }}", "-digest }}") for output in outputs
    }


def test_the_images_are_named_by_the_step_that_joins_them() -> None:
    (named,) = (step for step in steps(jobs(RELEASE)["publish"]) if step.get("id") == "images")
    assert named["run"] == "make release-join"


def test_what_is_tested_is_every_python_from_the_oldest_that_is_promised() -> None:
    versions = jobs(CI)["source"]["strategy"]["matrix"]["python"]
    assert versions == [f"3.{minor}" for minor in range(11, 15)]
