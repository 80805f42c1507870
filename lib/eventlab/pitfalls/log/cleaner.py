"""Waiting for compaction: the cleaner comes when it finds a log dirty enough, and leaves the newest segment alone."""

import time
from collections.abc import Callable
from typing import Any

from eventlab.cluster import Kafka, LabError
from eventlab.forgetting.compaction import SETTINGS
from eventlab.pitfalls.record import Fact
from eventlab.pitfalls.topics import Writer

HEARTBEAT = Fact("heartbeat", 1, "Heartbeat", "the shop is open", "shop")
"""What is written while one waits: a topic in use gets records all the time, and its segments come to an end."""

_PATIENCE_SECONDS = 60.0
_HEARTBEAT_SECONDS = 0.1


def settings(**more: object) -> dict[str, Any]:
    """Those of a compacted topic for which a lesson can wait, as ``kafka.topic`` takes them, and ``more`` over them."""
    return {**{name.replace(".", "_"): value for name, value in SETTINGS.items()}, **more}


def await_cleaner(kafka: Kafka, topic: str, done: Callable[[], bool]) -> None:
    """Write heartbeats to ``topic`` until ``done()``. Raises LabError when that takes too long."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with Writer(kafka) as shop:
        while not done():
            if time.monotonic() > deadline:
                raise LabError(f"The broker did not clean {topic} within {_PATIENCE_SECONDS:g} s. Is it busy?")
            shop.send(topic, HEARTBEAT, HEARTBEAT.key)
            shop.flush()
            time.sleep(_HEARTBEAT_SECONDS)
