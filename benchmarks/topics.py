"""What the benchmarks of reading share: a broker of their own, and topics full of events."""

import contextlib
import multiprocessing
import os
import random
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

SEED = 7
PIECE = 1_000
_PATIENCE_SECONDS = 900
Event = tuple[str, int]  # of which cart, and its version


@contextlib.contextmanager
def one_broker() -> Iterator[Any]:
    """A fresh broker with nothing else on it; its data is gone afterwards."""
    from eventlab import cluster

    with tempfile.TemporaryDirectory() as scratch:
        os.environ["EVENTLAB_HOME"] = scratch
        lab = cluster.Lab(Path(scratch))
        lease = lab.up(1)
        try:
            kafka = cluster.connect(1)
            yield kafka
        finally:
            kafka.close()
            lab.release(lease)
            lab.down()


def fill(kafka: Any, events: Iterable[Event]) -> str:
    """A topic with one partition and an event of some 100 bytes of JSON for each of ``events``."""
    from confluent_kafka import Producer

    topic: str = kafka.topic("events", retention_ms=-1)  # ``produce_batch`` gives its records no time: all are old
    chance = random.Random(SEED)
    values = [
        f'"product": "{chance.choice(["trousers", "socks", "shirt"])}", "quantity": {chance.randint(1, 9)}, '
        f'"price": {chance.randint(100, 9999)}, "at": "2026-03-02T12:00:{second:02}Z"}}'
        for second in range(60)
    ]
    failed: list[Any] = []
    settings = {
        "linger.ms": 20,
        "enable.idempotence": True,
        "log_level": 3,
        "queue.buffering.max.messages": 100 * PIECE,
    }
    producer = Producer(kafka.config(**settings))

    def heard(error: Any, _: Any) -> None:
        if error is not None:
            failed.append(error)

    piece: list[dict[str, Any]] = []

    def send() -> None:
        while len(producer) > 50 * PIECE:
            producer.poll(0.01)
        producer.produce_batch(topic, piece, partition=0, on_delivery=heard)
        piece.clear()

    for number, (cart, version) in enumerate(events):
        value = f'{{"cart": "{cart}", "version": {version}, {values[number % 60]}'
        piece.append({"key": cart, "value": value})
        if len(piece) == PIECE:
            send()
    if piece:
        send()
    assert producer.flush(_PATIENCE_SECONDS) == 0
    assert not failed, failed[0]
    return topic


def carts(events: int, each: int = 5) -> Iterator[Event]:
    """So many events in all, ``each`` of them for one cart after the other."""
    return ((f"cart-{number // each:09}", number % each + 1) for number in range(events))


def alone(work: Callable[..., Any], *arguments: Any) -> Any:
    """What ``work`` gives in a process of its own: with nobody else's memory, and no code that is warm already."""
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=_answer, args=(answer, work, arguments))
    process.start()
    try:
        found, failure = answer.get(timeout=_PATIENCE_SECONDS)
    finally:
        process.join()
    if failure:
        raise RuntimeError(failure)
    return found


def _answer(answer: Any, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        answer.put((work(*arguments), ""))
    except Exception:
        answer.put((None, traceback.format_exc()))


class At:
    """The cluster, for a process that cannot be handed a :class:`~eventlab.cluster.Kafka`."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config

    def config(self, **overrides: Any) -> dict[str, Any]:
        """The settings, with ``overrides``."""
        return {**self._config, **overrides}
