"""Calls to addresses that customers of ours typed in: never into our own network (hardening 30, OWASP API7:2023).

A name is looked up once, every address it has is judged, and the connection goes to an address that was judged: a name
that answers differently a moment later, a redirect, a decimal or an IPv6-mapped address gain nothing.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import httpcore
import httpx

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], list[str]]
"""Looks a host up: its addresses, best first. Raises: OSError, when it has none."""

# Lookups wait in threads of their own: a dead name server must not hold up those of the mails.
_LOOKUPS = 8
_MOST_ADDRESSES = 4  # of one name that are tried
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_METADATA = frozenset({IPv4Address("168.63.129.16")})  # Azure's; all others are link-local or private anyway


def resolve(host: str, port: int) -> list[str]:
    """As the machine's own resolver does."""
    return [str(place[0]) for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class AddressRefused(httpx.ConnectError):
    """The name leads to an address that is not for the public."""


class PublicNetwork(httpcore.AsyncNetworkBackend):
    """Connects to addresses in the allowed networks, and unless it is told otherwise to public ones."""

    def __init__(
        self, allowed: Sequence[Network], lookups: ThreadPoolExecutor, resolve: Resolve, *, public: bool
    ) -> None:
        self._allowed = allowed
        self._public = public
        self._lookups = lookups
        self._resolve = resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises: AddressRefused; httpcore.ConnectError, when no address takes the connection."""
        addresses = await self._look_up(host, port)
        if not self._permits(addresses):
            raise AddressRefused(f"{host} leads to an address that is not public")
        tried = addresses[:_MOST_ADDRESSES]
        share = timeout / len(tried) if timeout and tried else timeout  # IPv6 may lead nowhere, and IPv4 comes after it
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in tried:
            try:
                return await self._network.connect_tcp(str(address), port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """Raises: AddressRefused."""
        raise AddressRefused("a file is no public address")

    async def sleep(self, seconds: float) -> None:
        """Between tries of httpcore's own."""
        await self._network.sleep(seconds)

    async def permits(self, host: str, port: int) -> bool:
        """Whether it would connect to this host as it is found now.

        Raises: httpcore.ConnectError, when it has no address.
        """
        addresses = await self._look_up(host, port)
        if not addresses:
            raise httpcore.ConnectError(f"{host} has no address")
        return self._permits(addresses)

    def _permits(self, addresses: Iterable[Address]) -> bool:
        return all(is_permitted(address, self._allowed, public=self._public) for address in addresses)

    async def _look_up(self, host: str, port: int) -> list[Address]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._lookups, self._resolve, host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be looked up") from error
        return list(dict.fromkeys(ip_address(one) for one in found))


def is_permitted(address: Address, allowed: Iterable[Network] = (), *, public: bool = True) -> bool:
    """Whether a connection may go there: the address is public where that is enough, or in a network that was
    allowed.
    """
    if isinstance(address, IPv6Address) and (within := _ipv4_within(address)):
        return is_permitted(within, allowed, public=public)
    return (public and _is_public(address)) or any(address in network for network in allowed)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        return address in _GLOBAL_UNICAST and address.is_global
    return address.is_global and not address.is_multicast and address not in _METADATA


def _ipv4_within(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that packets to this one end at."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


class _Body(httpx.AsyncByteStream):
    """An answer's body as httpcore reads it."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _faults():
            async for part in self._answer.aiter_stream():
                yield part

    async def aclose(self) -> None:
        await self._answer.aclose()


class PublicTransport(httpx.AsyncBaseTransport):
    """An httpx transport whose connections all go through a `PublicNetwork`; proxies of the environment have no say."""

    def __init__(self, network: PublicNetwork, context: ssl.SSLContext) -> None:
        self._pool = httpcore.AsyncConnectionPool(ssl_context=context, network_backend=network, retries=0)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises: AddressRefused, httpx.TransportError."""
        with _faults():
            answer = await self._pool.handle_async_request(
                httpcore.Request(
                    request.method,
                    httpcore.URL(
                        scheme=request.url.raw_scheme,
                        host=request.url.raw_host,
                        port=request.url.port,
                        target=request.url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()


@contextmanager
def _faults() -> Any:
    """Faults of httpcore under the names that users of httpx know."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise httpx.TimeoutException(str(error)) from error
    except httpcore.ConnectError as error:
        raise httpx.ConnectError(str(error)) from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise httpx.TransportError(str(error)) from error


class Outgoing:
    """Makes clients for calls to public addresses. `allowed` names private networks that may be called too."""

    def __init__(self, allowed: Iterable[str] = (), resolve: Resolve = resolve) -> None:
        self._allowed = tuple(ip_network(one, strict=False) for one in allowed)
        self._resolve = resolve
        self._lookups = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="lookup")
        self._context = httpx.create_ssl_context()  # SSL_CERT_FILE names other authorities

    def client(self, seconds: float, *, public: bool = True) -> httpx.AsyncClient:
        """A client for one errand, which the caller closes; each of its waits ends after so many seconds.

        It follows no redirect by itself. Without `public` it reaches the allowed networks alone.
        """
        network = PublicNetwork(self._allowed, self._lookups, self._resolve, public=public)
        return httpx.AsyncClient(
            transport=PublicTransport(network, self._context), timeout=seconds, trust_env=False, follow_redirects=False
        )

    async def judge(self, host: str, port: int, seconds: float, *, public: bool = True) -> bool | None:
        """Whether a client would call this host as it is found now; None when it is not found in time."""
        network = PublicNetwork(self._allowed, self._lookups, self._resolve, public=public)
        try:
            async with asyncio.timeout(seconds):
                return await network.permits(host, port)
        except (TimeoutError, httpcore.ConnectError):
            return None

    def close(self) -> None:
        """Start no lookup any more."""
        self._lookups.shutdown(wait=False, cancel_futures=True)
