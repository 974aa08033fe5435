"""The stack on Docker Swarm: it replaces what is unhealthy, and takes back an update that is."""

from collections.abc import Iterator

import pytest

from demo.swarm import SERVICE, all_healthy, containers, deploy, replacement, stack, swarm
from testing.containers import derived
from tools.docker_engine import EngineError, inspect, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("images"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def deployed(images: None) -> Iterator[None]:  # noqa: ARG001 - the images have to be there
    """The stack of two tasks, each healthy."""
    with swarm(), stack(ACCOUNTSERVICE_TESTABILITY="1", ACCOUNTSERVICE_REPLICAS="2"):
        wait_until("all tasks are healthy", lambda: all_healthy(2))
        yield


@pytest.mark.usefixtures("deployed")
def test_swarm_replaces_an_unhealthy_container_by_a_healthy_one() -> None:
    first, second = containers()
    new, _ = replacement(first, 2)
    assert new not in (first, second)
    assert set(containers()) == {second, new}


@pytest.mark.usefixtures("deployed")
def test_an_update_that_is_unhealthy_is_taken_back_while_the_old_tasks_serve() -> None:
    before = set(containers())
    check = 'HEALTHCHECK --interval=1s --retries=2 CMD ["/healthchecker-linux-amd64", "-port=1"]'
    with derived(check.replace("amd64", inspect("image", "accountservice")["Architecture"])) as broken:
        deploy(ACCOUNTSERVICE_IMAGE=broken, ACCOUNTSERVICE_TESTABILITY="1", ACCOUNTSERVICE_REPLICAS="2")
        serving: list[bool] = []

        def rolled_back() -> bool:
            serving.append(before <= set(containers()))
            return bool(inspect("service", SERVICE).get("UpdateStatus", {}).get("State") == "rollback_completed")

        wait_until("the update is rolled back", rolled_back)
        wait_until("the new task is gone", lambda: set(containers()) == before)
    assert all(serving)
    assert all_healthy(2)


@pytest.mark.usefixtures("deployed")
def test_a_stack_that_is_there_already_is_left_alone() -> None:
    before = set(containers())
    words = "there is a stack accounts already; remove it: docker stack rm accounts"
    with pytest.raises(EngineError, match=words), stack():
        pytest.fail("a second stack was deployed")
    assert set(containers()) == before
