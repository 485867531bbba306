"""Calls to addresses that were typed in reach the public network alone."""

import asyncio
import time
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

import httpx
import pytest

from app.outgoing import AddressRefused, Outgoing, is_permitted
from tests.support.portals import PortalServer, portal_server

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "fe80::1",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
]
PUBLIC = ["1.1.1.1", "93.184.216.34", "::ffff:1.1.1.1", "64:ff9b::101:101", "2606:4700::1111", "2002:101:101::1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_refused(address: str) -> None:
    assert not is_permitted(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_fine(address: str) -> None:
    assert is_permitted(ip_address(address))


def test_an_allowed_network_is_open_and_no_other() -> None:
    allowed = [ip_network("10.1.0.0/16"), ip_network("fd00::/8")]
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1"):
        assert is_permitted(ip_address(address), allowed), address
    for address in ("10.2.0.1", "127.0.0.1", "fe80::1"):
        assert not is_permitted(ip_address(address), allowed), address


@pytest.fixture
def portal() -> Iterator[PortalServer]:
    with portal_server() as server:
        yield server


def get(outgoing: Outgoing, url: str) -> httpx.Response:
    """What a call answers."""

    async def call() -> httpx.Response:
        async with outgoing.client(5) as client:
            return await client.get(url)

    try:
        return asyncio.run(call())
    finally:
        outgoing.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "[::1]"])
@pytest.mark.asvs("1.3.6")
def test_no_spelling_of_loopback_is_connected_to(portal: PortalServer, host: str) -> None:
    with pytest.raises(AddressRefused):
        get(Outgoing(), f"http://{host}:{portal.server_port}/")
    assert portal.asked == []


def test_one_private_address_among_public_ones_is_enough_to_refuse(portal: PortalServer) -> None:
    names = {"mixed.example": ["127.0.0.1", "1.1.1.1"]}
    for found in (names["mixed.example"], names["mixed.example"][::-1]):
        with pytest.raises(AddressRefused):
            get(Outgoing(resolve=lambda _host, _port, found=found: found), f"http://mixed.example:{portal.server_port}")
    assert portal.asked == []


@pytest.mark.asvs("1.3.6")
def test_the_address_that_was_judged_is_the_one_connected_to(portal: PortalServer) -> None:
    lookups: list[str] = []

    def answers_differently(host: str, _port: int) -> list[str]:
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["127.0.0.2"]

    outgoing = Outgoing(["127.0.0.1/32"], resolve=answers_differently)
    assert get(outgoing, f"http://rebinding.example:{portal.server_port}/").status_code == 200
    assert lookups == ["rebinding.example"], "one lookup, whose outcome is judged and used"
    assert portal.asked == [("/", f"rebinding.example:{portal.server_port}")], "the name stays in the request"


def test_the_next_address_is_tried_when_one_does_not_answer(portal: PortalServer) -> None:
    outgoing = Outgoing(["127.0.0.0/8"], resolve=lambda _host, _port: ["127.0.0.99", "127.0.0.1"])
    assert get(outgoing, f"http://portal.example:{portal.server_port}/").status_code == 200


def test_a_proxy_of_the_environment_has_no_say(portal: PortalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", portal.url)
    monkeypatch.setenv("ALL_PROXY", portal.url)
    with pytest.raises(httpx.ConnectError):
        get(Outgoing(resolve=lambda _host, _port: []), "http://portal.example/")
    assert portal.asked == []


@pytest.mark.asvs("15.3.2")
def test_redirects_are_the_callers_business(portal: PortalServer) -> None:
    assert get(Outgoing(["127.0.0.0/8"]), f"{portal.url}/moved").status_code == 302
    assert [path for path, _ in portal.asked] == ["/moved"]


def test_a_body_is_read_only_when_it_is_asked_for(portal: PortalServer) -> None:
    async def status() -> int:
        outgoing = Outgoing(["127.0.0.0/8"])
        async with outgoing.client(5) as client, client.stream("GET", f"{portal.url}/endless") as answer:
            return answer.status_code

    started = time.monotonic()
    assert asyncio.run(status()) == 200
    assert time.monotonic() - started < 4  # else it would read without end


def test_faults_have_the_names_that_callers_know() -> None:
    with portal_server(slowness=2) as portal:

        async def slow() -> None:
            async with Outgoing(["127.0.0.0/8"]).client(0.2) as client:
                await client.get(f"{portal.url}/slow")

        with pytest.raises(httpx.TimeoutException):
            asyncio.run(slow())
    with pytest.raises(httpx.ConnectError):
        get(Outgoing(["127.0.0.0/8"]), f"http://127.0.0.1:{portal.server_port}/")


def test_a_name_that_nobody_knows_is_a_failed_connection() -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(httpx.ConnectError):
        get(Outgoing(resolve=unknown), "http://portal.example/")
