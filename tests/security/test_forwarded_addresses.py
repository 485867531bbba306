"""Whose address a call comes from: X-Forwarded-For buys nothing unless a trusted proxy wrote it."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.service import api_process
from tests.support.world import Utility, World

_THREE = {"PORTAL_INSPECTIONS_PER_MINUTE": "3"}


def statuses(utility: Utility, *forwarded: dict[str, str]) -> list[int]:
    """How a link of nobody's is received, each time with these headers."""
    calls = (utility.portal.post("/portal/tokens/inspect", {"token": "noise"}, headers=given) for given in forwarded)
    return [answer.status_code for answer in calls]


@pytest.mark.asvs("15.3.4")
def test_a_spoofed_address_buys_nothing(world: World, tmp_path: Path) -> None:
    with api_process(world.settings, tmp_path / "log", "--no-worker", **_THREE) as (url, _):
        utility = replace(world, url=url).utility()
        spoofed = [
            {},
            {"X-Forwarded-For": "192.0.2.1"},
            {"Forwarded": "for=192.0.2.2", "X-Real-IP": "192.0.2.2"},
            {"X-Forwarded-For": "192.0.2.3"},
            {"X-Forwarded-For": "127.0.0.1, 192.0.2.4"},
        ]
        assert statuses(utility, *spoofed) == [400] * 3 + [429] * 2


@pytest.mark.asvs("15.3.4")
def test_a_trusted_proxy_is_believed_about_its_own_caller_only(world: World, tmp_path: Path) -> None:
    trusted = _THREE | {"PORTAL_TRUSTED_PROXIES": "127.0.0.1, 10.1.2.3/8"}
    with api_process(world.settings, tmp_path / "log", "--no-worker", **trusted) as (url, _):
        utility = replace(world, url=url).utility()
        one, other = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}
        assert statuses(utility, one, one, one, one, other) == [400] * 3 + [429, 400]
        invented = [{"X-Forwarded-For": f"203.0.113.{number}, 192.0.2.1"} for number in range(3)]
        assert statuses(utility, *invented) == [429] * 3, "the caller may write what it likes before its own address"
        second_proxy = {"X-Forwarded-For": "203.0.113.9, 192.0.2.1, 10.9.9.9"}
        assert statuses(utility, second_proxy) == [429]
        noise = [{"X-Forwarded-For": text} for text in ("", ",", "unknown", "x" * 5_000, "[::1")]
        assert set(statuses(utility, *noise)) <= {400, 429}
