"""What does it cost to seal personal texts: per event on append and load, and where nothing is personal?

Our figure is the processor's time per event that sealing adds, on SQLite, events with one personal text each; the peer
is the bare cipher, AES-256-GCM of ``cryptography`` with a key that is at hand: what nobody can go below.
"""

import gc
import os
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks.table import Row, main, median
from eventlab.domain.account import Deposited, PeriodClosed
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.forgetting import KeyStore, Sealer, new_key
from eventlab.forgetting.catalogue import personal
from eventlab.store import Append, SqlEventStore

EVENTS = 10_000
SUBJECTS = 1_000
ACCOUNT, BOOKS = StreamId("account", "1001"), StreamId("account", "2001")
ON = date(2026, 3, 3)
AMOUNT = Money(1240, "EUR")
TEXT = "card payment, bakery Ana Almeida"
MOST_APPEND, MOST_LOAD, MOST_NOTHING, MOST_FIRST = 10.0, 10.0, 1.0, 250.0  # microseconds


def seconds(work: Callable[[], Any]) -> float:
    """How much time of the processor ``work`` takes: that of the disk is the same either way."""
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began


def row(name: str, ours: list[float], peer: list[float] | None, most: float, **more: list[float]) -> Row:
    """The median against its limit; unit microseconds per event."""
    found = median(ours, 2)
    bare = median(peer, 2) if peer else None
    return Row(name, found, bare, "µs", f"≤ {most:g} µs", found <= most, {"ours": ours, "peer": peer or [], **more})


def bare() -> tuple[float, float]:
    """Microseconds for one text: to encrypt it, and to decrypt it."""
    key, text, about = AESGCM(new_key()), TEXT.encode(), bytes(20)
    nonces = [os.urandom(12) for _ in range(EVENTS)]
    sealed = [key.encrypt(nonce, text, about) for nonce in nonces]
    encrypting = seconds(lambda: [key.encrypt(nonce, text, about) for nonce in nonces])
    decrypting = seconds(lambda: [key.decrypt(n, s, about) for n, s in zip(nonces, sealed, strict=True)])
    return round(encrypting / EVENTS * 1e6, 2), round(decrypting / EVENTS * 1e6, 2)


def once(folder: Path) -> dict[str, float]:
    """What sealing adds, once: microseconds per event; and the rates of a load."""
    keys = KeyStore(f"sqlite:///{folder / 'keys.db'}", {1: new_key()})
    plain = SqlEventStore(f"sqlite:///{folder / 'plain.db'}")
    sealed = SqlEventStore(f"sqlite:///{folder / 'sealed.db'}", sealing=Sealer(keys, personal))
    deposits = [NewEvent(Deposited(AMOUNT, ON, TEXT)) for _ in range(EVENTS)]
    closings = [NewEvent(PeriodClosed(ON, ON, AMOUNT)) for _ in range(EVENTS)]
    keys.to_seal(ACCOUNT.key)
    found = {"append": -seconds(lambda: plain.append(ACCOUNT, deposits))}
    found["append"] += seconds(lambda: sealed.append(ACCOUNT, deposits))
    plain_load, sealed_load = seconds(lambda: plain.load(ACCOUNT)), seconds(lambda: sealed.load(ACCOUNT))
    found["load"] = sealed_load - plain_load
    for store in (plain, sealed):
        store.append(BOOKS, closings)
    found["nothing"] = -seconds(lambda: plain.load(BOOKS)) + seconds(lambda: sealed.load(BOOKS))
    streams = [StreamId("account", f"s{number}") for number in range(SUBJECTS)]
    sealed.append_all([Append(stream, [NewEvent(Deposited(AMOUNT, ON, TEXT))]) for stream in streams])
    keys.close()  # forgets the keys that it holds; its file stays
    cold = seconds(lambda: [sealed.load(stream) for stream in streams])
    found["first"] = (cold - seconds(lambda: [sealed.load(stream) for stream in streams])) * EVENTS / SUBJECTS
    for each in (plain, sealed, keys):
        each.close()
    micro = {name: round(value / EVENTS * 1e6, 2) for name, value in found.items()}
    return {**micro, "plain, events/s": round(EVENTS / plain_load), "sealed, events/s": round(EVENTS / sealed_load)}


def measure(runs: int) -> list[Row]:
    """Everything, in a folder of its own."""
    bares = [bare() for _ in range(runs)]
    found: list[dict[str, float]] = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            found.append(once(Path(folder)))
    of = {name: [each[name] for each in found] for name in found[0]}
    rates = {name: of[name] for name in of if name.endswith("/s")}
    return [
        row("append, one personal text", of["append"], [encrypting for encrypting, _ in bares], MOST_APPEND),
        row("load, one personal text", of["load"], [decrypting for _, decrypting in bares], MOST_LOAD, **rates),
        row("load, nothing personal", of["nothing"], None, MOST_NOTHING),
        row("first text of a subject, its key looked up", of["first"], None, MOST_FIRST),
    ]


if __name__ == "__main__":
    main(__doc__.splitlines()[0], measure, runs=3)
