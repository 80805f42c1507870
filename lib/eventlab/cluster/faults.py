"""Which frames between a client and a broker a fault strikes, and what it does to them."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from eventlab.cluster.api_keys import API_KEYS
from eventlab.cluster.errors import LabError

Side = Literal["request", "response"]

_PATIENCE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Frames:
    """Which frames a fault is for: ``Frames("Produce", "response", nth=2)``.

    ``api`` names the request, also when its response is meant. ``client`` is a ``client.id``; None: whoever it is.
    ``nth`` counts the frames that fit, from 1, over all connections and brokers; None: every one.
    """

    api: str
    side: Side = "request"
    client: str | None = None
    nth: int | None = None

    def __post_init__(self) -> None:
        if self.api not in API_KEYS:
            raise ValueError(f"there is no request {self.api!r}; there are: {', '.join(API_KEYS)}")
        if self.side not in ("request", "response"):
            raise ValueError(f"a frame is a 'request' or a 'response', not a {self.side!r}")
        if self.nth is not None and self.nth < 1:
            raise ValueError(f"frames are counted from 1, so there is no frame {self.nth}")

    def __str__(self) -> str:
        which = "every" if self.nth is None else f"number {self.nth} of every"
        return f"{which} {self.api} {self.side}" + ("" if self.client is None else f" of {self.client}")


@dataclass(frozen=True, slots=True)
class Frame:
    """One request or response, without its length."""

    side: Side
    api: int
    client: str
    data: bytes


# What becomes of a frame, given what is set once the rule is released, and what ends the connection: does it go on?
Fault = Callable[[Frame, asyncio.Event, Callable[[], None]], Awaitable[bool]]


class Rule:
    """A fault in force, until :meth:`release`. Made by the methods of :class:`FaultProxy`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, frames: Frames, fault: Fault) -> None:
        self._loop, self._frames, self._fault = loop, frames, fault
        self._seen = self._struck = self._longest = 0
        self._changed = threading.Condition()
        self._over, self._released = asyncio.Event(), False

    @property
    def struck(self) -> int:
        """How many frames it has struck so far."""
        with self._changed:
            return self._struck

    @property
    def longest(self) -> int:
        """How many bytes the longest of these frames had."""
        with self._changed:
            return self._longest

    def wait(self, times: int = 1, seconds: float = _PATIENCE_SECONDS) -> None:
        """Return once it has struck so many frames; one that is held is at the proxy then. Raises LabError if late."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._struck >= times, seconds):
                raise LabError(
                    f"The fault proxy was to strike {self._frames}, and struck {self._struck} times instead of {times} "
                    f"within {seconds:g} s. Does the client connect with `proxy.config()`?"
                )

    def release(self) -> None:
        """The fault is over: what it holds goes on, in order, and nothing is struck any more."""
        with self._changed:
            self._released = True
        with contextlib.suppress(RuntimeError):  # the proxy is closed, and what it held is gone
            self._loop.call_soon_threadsafe(self._over.set)

    def strikes(self, frame: Frame) -> bool:
        """Whether the frame is one that is meant; counts it."""
        meant = self._frames
        if (frame.api, frame.side) != (API_KEYS[meant.api], meant.side) or meant.client not in (None, frame.client):
            return False
        with self._changed:
            self._seen += 1
            if self._released or meant.nth not in (None, self._seen):
                return False
            self._struck += 1
            self._longest = max(self._longest, len(frame.data))
            self._changed.notify_all()
            return True

    async def meet(self, frame: Frame, end: Callable[[], None]) -> bool:
        """Do to the frame what the fault is; gives whether it goes on afterwards. ``end`` ends its connection."""
        return await self._fault(frame, self._over, end)


async def watch(frame: Frame, over: asyncio.Event, end: Callable[[], None]) -> bool:
    """Let the frame pass."""
    return True


async def drop(frame: Frame, over: asyncio.Event, end: Callable[[], None]) -> bool:
    """Lose the frame, and nothing else."""
    return False


async def cut(frame: Frame, over: asyncio.Event, end: Callable[[], None]) -> bool:
    """Lose the frame and end its connection."""
    end()
    return False


async def hold(frame: Frame, over: asyncio.Event, end: Callable[[], None]) -> bool:
    """Keep the frame until the rule is released."""
    await over.wait()
    return True


def slow(seconds: float = 0, seconds_per_byte: float = 0) -> Fault:
    """Keep each frame for so long, and longer the more it holds."""

    async def wait(frame: Frame, over: asyncio.Event, end: Callable[[], None]) -> bool:
        await asyncio.sleep(seconds + seconds_per_byte * len(frame.data))
        return True

    return wait
