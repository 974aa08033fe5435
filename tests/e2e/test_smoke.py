"""The executable in the images that people copy it to: it needs nothing of any of them."""

import subprocess
from collections.abc import Iterator

import pytest

from testing.containers import require_image, running, wait_for
from tools.docker_engine import remove_image
from tools.release.executable import name

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("images"), pytest.mark.timeout(600)]

BASES = ["scratch", "debian:trixie-slim", "alpine:3", "gcr.io/distroless/static-debian12"]


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """A container that answers on port 6767."""
    with running() as container:
        wait_for(container, "healthy")
        yield container


@pytest.fixture(params=BASES)
def image(request: pytest.FixtureRequest) -> Iterator[str]:
    """An image of that base with the executable in it."""
    if request.param != "scratch":
        require_image(request.param)
    tag = f"healthchecker-smoke:{BASES.index(request.param)}"
    lines = [f"FROM {request.param}", f"COPY --from=healthchecker /{name()} /", f'ENTRYPOINT ["/{name()}"]']
    subprocess.run(["docker", "build", "--quiet", f"--tag={tag}", "-"], input="\n".join(lines), text=True, check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    try:
        yield tag
    finally:
        remove_image(tag)


def test_it_runs_in_an_image_of(image: str, service: str) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        confined = ["--rm", "--read-only", "--cap-drop=ALL", "--user=10001:10001", f"--network=container:{service}"]
        done = subprocess.run(["docker", "run", *confined, image, *arguments], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    status, line = run("-port=6767", "-v")
    assert (status, line.partition(" (")[0]) == (0, "healthy: GET http://127.0.0.1:6767/health: 200 OK")
    status, line = run("-port=1")
    assert (status, line.partition(" (")[0]) == (1, "unhealthy: GET http://127.0.0.1:1/health: connection refused")
    status, line = run("https://127.0.0.1:6767/health", "-t=20")
    assert status == 1
    assert line.startswith("unhealthy: GET https://127.0.0.1:6767/health: ")
    status, text = run("--help")
    assert (status, text.splitlines()[0]) == (0, "Usage: healthchecker [OPTIONS] [URL]")
