"""Pages of other origins read the API's answers only when a setting names them."""

import pytest

from tests.support.service import listening
from tests.support.world import World

PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


@pytest.mark.asvs("3.4.2")
def test_only_origins_of_the_setting_may_read(world: World) -> None:
    settings = world.settings.model_copy(update={"cors_origins": ("https://portal.example.com",), "run_worker": False})
    with listening(settings) as (url, _):
        for origin, allowed in (
            ("https://portal.example.com", "https://portal.example.com"),
            ("https://portal.example.com.attacker.example", None),
            ("http://portal.example.com", None),
            ("null", None),
        ):
            path = f"{url}/api/portal/v1/portal/sessions"
            asked = world.http.options(path, headers={"Origin": origin} | PREFLIGHT)
            answered = world.http.post(path, headers={"Origin": origin}, json={})
            for answer in (asked, answered):
                assert answer.headers.get("Access-Control-Allow-Origin") == allowed
                assert "Access-Control-Allow-Credentials" not in answer.headers


def test_without_the_setting_no_origin_may_read(world: World) -> None:
    answer = world.http.get(f"{world.url}/healthz", headers={"Origin": "https://portal.example.com"})
    assert "Access-Control-Allow-Origin" not in answer.headers
