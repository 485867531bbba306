"""A way to another server that can be made worse: slow, silent, or cut."""

import asyncio
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import unquote, urlsplit, urlunsplit


class Proxy:
    """Passes bytes between its own port and a server, as it is told at the moment; in a thread of its own."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._delay = 0.0
        self._cut = False
        self._port = 0

    @property
    def url(self) -> str:
        """The server's address, by way of the proxy."""
        user, at, _ = self._parts.netloc.rpartition("@")
        return urlunsplit(self._parts._replace(netloc=f"{user}{at}127.0.0.1:{self._port}"))

    def pass_on(self) -> None:
        """Be no hindrance, as at the start; what was held back arrives now."""
        self._set(delay=0.0, cut=False, passing=True)

    def delay(self, seconds: float) -> None:
        """Pass everything on so much later, in each direction."""
        self._set(delay=seconds, cut=False, passing=True)

    def hold(self) -> None:
        """Take connections and bytes, and pass nothing on, like a network that swallows everything."""
        self._set(delay=0.0, cut=False, passing=False)

    def cut(self) -> None:
        """Break every connection, and each new one at once, like a server that is gone."""
        self._set(delay=0.0, cut=True, passing=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(10)

    def _set(self, *, delay: float, cut: bool, passing: bool) -> None:
        done = threading.Event()

        def change() -> None:
            self._delay, self._cut = delay, cut
            if cut:
                self._break()
            (self._passing.set if passing else self._passing.clear)()
            done.set()

        self._loop.call_soon_threadsafe(change)
        assert done.wait(10)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped, self._passing = asyncio.Event(), asyncio.Event()
        self._passing.set()
        self._writers: set[asyncio.StreamWriter] = set()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopped.wait()
        server.close()
        self._break()

    def _break(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._passing.wait()
            if self._cut:
                return
            there, back = await self._connect()
            self._writers.add(back)
            try:
                await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
            finally:
                self._writers.discard(back)
                back.close()
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, _, port = self._parts.netloc.rpartition("@")[2].rpartition(":")
        if host.startswith("%2F"):  # a folder: the embedded PostgreSQL listens on a socket there
            return await asyncio.open_unix_connection(f"{unquote(host)}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, int(port))

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                await self._passing.wait()
                await asyncio.sleep(self._delay)
                target.write(data)
                await target.drain()
        target.close()
