"""docs/accountservice.md: the service answers and speaks as the page says."""

import re
import socket
from pathlib import Path

import pytest

from accountservice.network import own_address
from testing import messages
from testing.project import ROOT
from testing.service import Service
from testing.waiting import PATIENCE

PAGE = (ROOT / "docs" / "accountservice.md").read_text()


@pytest.mark.parametrize("text", messages.of_python("accountservice/*.py"))
def test_every_message_of_the_service_is_there(text: str) -> None:
    assert messages.is_in(re.sub("%[ds]", "{}", text), PAGE)


def test_the_table_of_routes_is_a_session(tmp_path: Path) -> None:
    session = re.findall(r"^\| `([A-Z]+) (/.*)` \| (\d+) \| (?:`(.*)` )?\|$", PAGE, re.MULTILINE)
    listed = [(int(status), body.replace("10.0.1.5", own_address())) for _, _, status, body in session]
    with Service(tmp_path, ACCOUNTSERVICE_TESTABILITY="1") as service:
        service.wait_until_up()
        answers = [service.ask(path, method) for method, path, _, _ in session]
    assert [(answer.status, answer.body.decode()) for answer in answers] == listed
    assert len(listed) == PAGE.count("\n| `GET ") + PAGE.count("\n| `POST ")


CANNOT_RUN = {
    "an invalid port": {"ACCOUNTSERVICE_PORT": "abc"},
    "a link of Kubernetes": {"ACCOUNTSERVICE_PORT": "tcp://10.0.0.1:80"},
    "a port in use": {"ACCOUNTSERVICE_PORT": "TAKEN"},
    "a folder for the store": {"ACCOUNTSERVICE_DB": "FOLDER"},
}


@pytest.mark.parametrize("environ", CANNOT_RUN.values(), ids=list(CANNOT_RUN))
def test_if_it_cannot_run_it_prints_a_line_of_the_page(tmp_path: Path, environ: dict[str, str]) -> None:
    with socket.create_server(("0.0.0.0", 0)) as holder:
        places = {"6767": str(holder.getsockname()[1]), "/data": str(tmp_path)}
        values = {"TAKEN": places["6767"], "FOLDER": places["/data"]}
        settings = {name: values.get(value, value) for name, value in environ.items()}
        with Service(tmp_path, **settings) as service:
            assert service.process.wait(PATIENCE) == 1
            line = service.log.read_text().splitlines()[-1]
    for on_page, here in places.items():
        line = line.replace(here, on_page)
    assert f"| `{line}` |" in PAGE
