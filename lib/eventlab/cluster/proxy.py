"""Faults on the wire: a proxy before each broker that knows Kafka's frames, and strikes the one that it is told to.

A frame is a length of four bytes and so many bytes of a request or a response: https://kafka.apache.org/protocol.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from eventlab.cluster import faults
from eventlab.cluster.errors import NeedsEmbeddedLab
from eventlab.cluster.faults import Frame, Frames, Rule
from eventlab.cluster.kafka import Kafka
from eventlab.cluster.ports import LOOPBACK

__all__ = ["FaultProxy", "Frames", "Rule"]

_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_INT = struct.Struct(">i")
_HEAD = struct.Struct(">hhih")  # of a request: api key, its version, correlation id, length of the client id


class FaultProxy:
    """A port before each broker, for the length of a ``with`` block; clients with :meth:`config` go through it.

    A connection is as TCP makes it: in each direction no frame overtakes another, so all wait behind one that is held.
    A request that is held reaches the broker when it is released, also when the client has given up and closed.
    Faults are tried on a frame in the order in which they were asked for; what one loses, the next does not count.

    To hold, delay, throttle and cut is what any network does. To drop is not: TCP loses the end of a conversation,
    never a piece out of its middle. That stands for a broker that failed at one request.
    """

    def __init__(self, kafka: Kafka) -> None:
        """Raises NeedsEmbeddedLab (a LabError) for a cluster that the lab did not start."""
        try:
            brokers = [broker.port for broker in kafka.brokers]
        except NeedsEmbeddedLab as error:
            raise NeedsEmbeddedLab("The fault proxy needs the lab's own brokers: unset EVENTLAB_KAFKA.") from error
        self._kafka = kafka
        self._sockets = {port: socket.create_server((LOOPBACK, 0)) for port in brokers}
        self._ours = {port: listening.getsockname()[1] for port, listening in self._sockets.items()}
        self._rules: list[Rule] = []
        self._links: dict[_Link, asyncio.Future[None]] = {}
        self._loop, self._closing = asyncio.new_event_loop(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="fault proxy", daemon=True)

    @property
    def bootstrap(self) -> str:
        """Where clients connect first: ``host:port,…``."""
        return ",".join(f"{LOOPBACK}:{port}" for port in self._ours.values())

    def config(self, **overrides: Any) -> dict[str, Any]:
        """The settings of ``kafka.config()``, for a client that goes through the proxy."""
        return self._kafka.config(**{"bootstrap.servers": self.bootstrap, **overrides})

    def watch(self, frames: Frames) -> Rule:
        """Do nothing to the frame. Once the rule has struck, the frame has gone on."""
        return self._add(frames, faults.watch)

    def drop(self, frames: Frames) -> Rule:
        """Lose the frame, and nothing else."""
        return self._add(frames, faults.drop)

    def cut(self, frames: Frames) -> Rule:
        """Lose the frame and end its connection. What went before it arrives, at the broker as at the client."""
        return self._add(frames, faults.cut)

    def hold(self, frames: Frames) -> Rule:
        """Keep the frame, and what comes behind it on its connection, until the rule is released."""
        return self._add(frames, faults.hold)

    def delay(self, frames: Frames, seconds: float) -> Rule:
        """Keep the frame, and what comes behind it on its connection, for so long."""
        return self._add(frames, faults.slow(seconds))

    def throttle(self, frames: Frames, bytes_per_second: float) -> Rule:
        """Let the frames of a connection pass one after the other at this speed."""
        if bytes_per_second <= 0:
            raise ValueError(f"{bytes_per_second} bytes per second is no speed; `hold` keeps frames for good")
        return self._add(frames, faults.slow(seconds_per_byte=1 / bytes_per_second))

    def disconnect(self) -> None:
        """End every connection that there is now, as :meth:`cut` does; the clients may come back."""
        for link in list(self._links):
            self._loop.call_soon_threadsafe(link.cut)

    def _add(self, frames: Frames, fault: faults.Fault) -> Rule:
        rule = Rule(self._loop, frames, fault)
        self._rules.append(rule)
        return rule

    def __enter__(self) -> "FaultProxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        # What the brokers say of themselves, and what clients are to hear: host and port as they stand in a response.
        said = {_address(port): _address(ours) for port, ours in self._ours.items()}

        def accept(port: int) -> Any:
            async def serve(*client: Any) -> None:
                link = _Link(client, self._rules, said)
                # Held here, since asyncio itself does not hold on to what it runs.
                self._links[link] = talk = asyncio.ensure_future(link.run(port))
                await asyncio.wait([talk])
                del self._links[link]

            return serve

        servers = [await asyncio.start_server(accept(port), sock=sock) for port, sock in self._sockets.items()]
        await self._closing.wait()
        for server in servers:
            server.close()
        for talk in self._links.values():
            talk.cancel()
        while self._links:
            await asyncio.sleep(0)


class _Link:
    """A client's connection to the proxy, and the one from there to the broker."""

    def __init__(self, client: Any, rules: Sequence[Rule], said: Mapping[bytes, bytes]) -> None:
        self._client: _Stream = client
        self._ends = [self._client[1]]
        self._rules, self._said = rules, said
        self._asked: dict[int, tuple[int, str]] = {}  # by correlation id: the api and the client
        self._over = False

    async def run(self, port: int) -> None:
        """Pass on what both say, until neither says anything any more; if this is cancelled, break off."""
        with contextlib.closing(self._client[1]), contextlib.suppress(OSError):  # down: the client finds it closed
            broker = await asyncio.open_connection(LOOPBACK, port)
            with contextlib.closing(broker[1]):
                self._ends.append(broker[1])
                try:
                    await asyncio.gather(self._requests(broker[1]), self._responses(broker[0]))
                except asyncio.CancelledError:
                    for writer in self._ends:
                        writer.transport.abort()
                    raise

    async def _requests(self, broker: asyncio.StreamWriter) -> None:
        while (data := await _read(self._client[0])) is not None:
            api, _, correlation, length = _HEAD.unpack_from(data)
            client = data[_HEAD.size : _HEAD.size + max(length, 0)].decode()
            self._asked[correlation] = api, client
            if await self._passes(Frame("request", api, client, data)):
                await _write(broker, data)
        _say_no_more(broker)

    async def _responses(self, broker: asyncio.StreamReader) -> None:
        while (data := await _read(broker)) is not None:
            api, client = self._asked.pop(*_INT.unpack_from(data))
            for theirs, ours in self._said.items():
                data = data.replace(theirs, ours)
            if await self._passes(Frame("response", api, client, data)):
                await _write(self._client[1], data)
        _say_no_more(self._client[1])

    async def _passes(self, frame: Frame) -> bool:
        for rule in self._rules:
            if not self._over and rule.strikes(frame) and not await rule.meet(frame, self.cut):
                return False
        return not self._over

    def cut(self) -> None:
        """Both hear all that was passed on before, and then that the connection is over."""
        self._over = True
        for writer in self._ends:
            _say_no_more(writer)


def _address(port: int) -> bytes:
    return LOOPBACK.encode() + _INT.pack(port)


async def _read(reader: asyncio.StreamReader) -> bytes | None:
    """The next frame, without its length; None when there is none any more."""
    try:
        (length,) = _INT.unpack(await reader.readexactly(_INT.size))
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Pass a frame on, unless that end has gone; the other may still have something to say."""
    if not writer.is_closing():
        writer.write(_INT.pack(len(data)) + data)
        with contextlib.suppress(ConnectionError):
            await writer.drain()


def _say_no_more(writer: asyncio.StreamWriter) -> None:
    if not writer.is_closing():
        with contextlib.suppress(OSError):
            writer.write_eof()
