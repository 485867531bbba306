"""Asked to end, a node finishes what it has begun: nobody is told that it failed."""

import time
from pathlib import Path

import httpx

from app.settings import Settings
from tests.faults.ledger import problems
from tests.faults.load import Load
from tests.support.databases import Sql
from tests.support.mail import SmtpServer
from tests.support.service import Process, environment, free_port, wait_until_ready
from tests.support.world import World


def test_a_node_that_is_asked_to_end_under_load_drains(settings_of_its_own: Settings, tmp_path: Path) -> None:
    sql = Sql(str(settings_of_its_own.database_url))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with SmtpServer() as smtp, httpx.Client() as http:
        variables = environment(settings_of_its_own, PORTAL_SMTP_URL=smtp.url)
        node = Process(["serve", "--port", str(port)], variables, tmp_path / "node.log")
        wait_until_ready(url)
        load = Load(World(url, settings_of_its_own, sql, smtp.mailbox, http).utility())
        with load.running(4):
            time.sleep(2)
            assert node.stop() == 0
    assert load.answers["login 201"] > 0, load.answers
    assert not [told for told in load.answers if " 5" in told], load.answers
    assert problems(sql) == []
    assert "Traceback" not in node.output
