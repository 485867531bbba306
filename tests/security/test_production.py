"""What is different where the service runs for real."""

from collections.abc import Iterator

import pytest

from tests.support.service import listening, test_settings
from tests.support.world import World


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """Of the service with the settings of production, on the database of the tests."""
    settings = test_settings(
        environment="production",
        database_url=str(world.settings.database_url),
        data_dir=world.settings.data_dir,
        smtp_url=world.settings.smtp_url,
        oidc_issuer="https://issuer.invalid",
        seal_key="a-key-of-the-tests-that-only-seals-0123456789",
        run_worker=False,
    )
    with listening(settings) as (url, _):
        yield url


@pytest.mark.asvs("3.4.1")
def test_in_production_every_answer_asks_for_https_and_nothing_of_a_demonstration_is_there(
    world: World, address: str
) -> None:
    pages = ("/healthz", "/docs", "/api/portal/v1/portal/me", "/mailbox", "/mailbox/messages", "/nowhere")
    answers = {page: world.http.get(address + page) for page in pages}
    for answer in answers.values():
        assert answer.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"
    for page in ("/mailbox", "/mailbox/messages"):
        assert answers[page].status_code == 404
    discovery = "/.well-known/openid-configuration"
    assert world.http.get(world.url + discovery).status_code == 200
    assert world.http.get(address + discovery).status_code == 404
