"""A shop whose cart has many readers: sells, starts and stops its services, compares what they say with the truth."""

import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pandas as pd
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import OffsetSpec

from eventlab.cluster import Kafka, LabError
from eventlab.domain.cart import CheckedOut
from eventlab.events.codec import JsonCodec
from eventlab.inputs.generate import demo_carts
from eventlab.services import cart_team, topic
from eventlab.services.audit import Audit, Finding, as_published, in_carts, rows, truth
from eventlab.services.lag import Watch, watching
from eventlab.services.process import Service
from eventlab.services.program import Options
from eventlab.services.team import Event
from eventlab.services.teams import SERVICES, TEAMS

_PARTITIONS = 3
_CARTS = 200  # generated together
_PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.01
_LOOK_SECONDS = 0.0005


class Shop:
    """The cart service, its topic ``carts``, and three services that live by it; all of them end with this process.

    ``listen`` is what the services read: the cart's own ``internal`` events, or the ``published`` ones, which a
    fourth process, the cart team's translator, makes of them in the topic ``published``.
    """

    def __init__(self, kafka: Kafka, listen: Literal["internal", "published"] = "internal", seed: int = 13) -> None:
        self._kafka, self._listen, self._release = kafka, listen, 1
        self.carts = topic.create(kafka, "carts", _PARTITIONS)
        self.published = topic.create(kafka, "published", _PARTITIONS) if listen == "published" else ""
        self._writer = topic.Writer(kafka, self.carts)
        self._customers = _customers(seed)
        folder = TemporaryDirectory(prefix="eventlab-services-")
        names = [*SERVICES, *(["translator"] if self.published else [])]
        self._services = {name: self._service(name, Path(folder.name)) for name in names}
        self._watch = Watch()
        self.close = weakref.finalize(self, _close, list(self._services.values()), self._writer, folder)

    def _service(self, name: str, folder: Path) -> Service:
        follows = self.published if self.published and name in SERVICES else self.carts
        options = Options(
            team=name,
            edition="published" if follows == self.published else "internal 1",
            config=self._kafka.config(),
            topic=follows,
            group=self._kafka.group(name),
            member=name,
            view=str(folder / f"{name}.db"),
            publishes=self.published if name == "translator" else "",
        )
        return Service(options, folder / f"{name}.log")

    def start(self, *names: str) -> None:
        """Start these services, by default all; each goes on where its view stands. Raises LabError."""
        chosen = self._chosen(names)
        for name in chosen:
            self._services[name].start()
        for name in chosen:
            self._services[name].ready()
            self._watch.mark(f"{name} started")

    def kill(self, name: str) -> None:
        """``kill -9``."""
        self._services[name].kill()
        self._watch.mark(f"{name} killed")

    def sell(self, carts: int, per_second: float = 0) -> int:
        """So many customers come, and buy or drift away; gives the number of events that the cart service wrote.

        ``per_second``: how many customers; 0 is as fast as it goes.
        """
        written = 0
        for name, story in islice(self._customers, carts):
            written += self._write(name, story)
            if per_second:
                self._writer.flush()
                time.sleep(1 / per_second)
        self._writer.flush()
        return written

    def _write(self, cart: str, story: Sequence[object]) -> int:
        codec = JsonCodec(cart_team.RELEASES[self._release])
        for event in story:
            encoded = codec.encode(cart_team.written(event, self._release))
            self._writer.send(Event(cart, encoded.type, encoded.data))
        return len(story)

    def wait(self) -> None:
        """Wait until every service that runs has handled all there is; one that stops on the way is not waited for.

        Raises LabError when that takes too long.
        """
        end = time.monotonic() + _PATIENCE_SECONDS
        # What the translator has not read yet, the others cannot wait for.
        for names in (["translator"] if self.published else [], list(SERVICES)):
            while behind := [name for name in names if self._services[name].state == "running" and self._behind(name)]:
                if time.monotonic() > end:
                    raise LabError(f"After {_PATIENCE_SECONDS:g} s these are still behind: {', '.join(behind)}.")
                time.sleep(_POLL_SECONDS)

    def _behind(self, name: str) -> bool:
        """By its view, since the broker does not know of a rebuild yet; and by the broker, which is told last."""
        service = self._services[name]
        end = sum(self._ends(service.options.topic).values())
        return end > service.handled or end > sum(self._committed(service.options.group).values())

    def release(self, translator: bool = True) -> None:
        """Friday's release of the cart service: from now on it writes LineAdded, QuantityRaised, QuantityLowered.

        Its translator, if there is one, is released with it, unless ``translator`` is False: it was forgotten.
        """
        self._release = 2
        if self.published and translator:
            self.deploy("translator")

    def deploy(self, name: str) -> None:
        """A new program for a service, one that knows the new events; its view stays."""
        service = self._services[name]
        service.kill()
        service.options.edition = "internal 2"
        self.start(name)

    def rebuild(self, name: str) -> None:
        """Throw a service's view away and have its program make it again, from the first event."""
        service = self._services[name]
        service.kill()
        service.forget()
        self.start(name)

    def lag(self) -> dict[str, int]:
        """How many records each service's group has not confirmed yet: the broker's answer, dead or alive."""
        # The ends last: a topic that grows meanwhile cannot make a service seem to be ahead of it.
        known = {name: self._committed(service.options.group) for name, service in self._services.items()}
        ends = {name: sum(self._ends(name).values()) for name in (self.carts, self.published) if name}
        return {
            name: ends[service.options.topic] - sum(known[name].values()) for name, service in self._services.items()
        }

    def _ends(self, name: str) -> dict[int, int]:
        asked = {TopicPartition(name, number): OffsetSpec.latest() for number in range(_PARTITIONS)}
        futures = self._kafka.admin.list_offsets(asked)
        return {where.partition: future.result(_PATIENCE_SECONDS).offset for where, future in futures.items()}

    def _committed(self, group: str) -> dict[int, int]:
        (future,) = self._kafka.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
        found = future.result(_PATIENCE_SECONDS).topic_partitions
        return {each.partition: each.offset for each in found if each.offset >= 0}

    @contextmanager
    def watch(self) -> Iterator[Watch]:
        """Look at the lag again and again while the block lasts."""
        with watching(self.lag) as self._watch:
            yield self._watch

    def reads(self) -> pd.DataFrame:
        """A row per type of event, a column per service: who handles it."""
        handles = {name: TEAMS[name].editions[self._services[name].options.edition] for name in SERVICES}
        types = dict.fromkeys(each for handlers in handles.values() for each in handlers)
        columns = {name: ["reads" if each in handlers else "" for each in types] for name, handlers in handles.items()}
        return pd.DataFrame(columns, index=list(types))

    def status(self) -> pd.DataFrame:
        """A row per service: its process, how many records it has handled, how many it is behind, what it said."""
        lag = self.lag()
        return pd.DataFrame(
            {
                "service": name,
                "process": service.pid or "",
                "state": service.state,
                "handled": service.handled,
                "lag": lag[name],
                "said": service.said,
            }
            for name, service in self._services.items()
        )

    def handled(self) -> int:
        """How many records the services' views have seen, together, without the translator."""
        return sum(self._services[name].handled for name in SERVICES)

    def said(self, name: str) -> str:
        """The last line of a service that stopped by itself; empty for the others."""
        return self._services[name].said

    def view(self, name: str) -> pd.DataFrame:
        """What a service answers."""
        return self._services[name].answer()

    def events(self) -> list[Event]:
        """The cart's own events, as a fresh reader finds them."""
        return list(topic.read(self._kafka, self.carts))

    def orders(self) -> list[Event]:
        """The published events, as a fresh reader finds them; none where none are published."""
        return list(topic.read(self._kafka, self.published)) if self.published else []

    def delays(self, orders: int = 20) -> list[float]:
        """Milliseconds from a purchase until the order service knows it, one customer after the other."""
        took: list[float] = []
        while len(took) < orders:
            cart, story = next(self._customers)
            if not isinstance(story[-1], CheckedOut):
                self._write(cart, story)
                continue
            bought = time.perf_counter()
            self._write(cart, story)
            while not self._services["orders"].knows(cart):
                if time.perf_counter() - bought > _PATIENCE_SECONDS:
                    raise LabError(f"The order service does not know {cart} after {_PATIENCE_SECONDS:g} s.")
                time.sleep(_LOOK_SECONDS)
            took.append(1000 * (time.perf_counter() - bought))
        self._writer.flush()
        return took

    def audit(self, against: Literal["carts", "published"] = "carts") -> Audit:
        """Every service's view beside the truth: what a fresh reader of the cart's events, or of the published ones,
        works out from them.
        """
        orders = in_carts(self.events()) if against == "carts" else as_published(self.orders())
        lag, true = self.lag(), truth(orders)
        return Audit(
            {
                name: Finding(
                    service=name,
                    state=self._services[name].state,
                    lag=lag[name],
                    shown=rows(self.view(name).itertuples(index=False, name=None), TEAMS[name].values),
                    truth=true[name],
                )
                for name in SERVICES
            }
        )

    def _chosen(self, names: Sequence[str]) -> list[str]:
        if unknown := [name for name in names if name not in self._services]:
            raise ValueError(f"there is no service {unknown[0]!r}; there are: {', '.join(self._services)}")
        return list(names or self._services)

    def __enter__(self) -> "Shop":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _customers(seed: int) -> Iterator[tuple[str, list[object]]]:
    """Customers without end: the name of the cart, and its events."""
    numbers = count(1)
    for day in count():
        for story in demo_carts(seed + day, _CARTS).values():
            yield f"cart-{next(numbers)}", [new.event for new in story]


def _close(services: Sequence[Service], writer: topic.Writer, folder: "TemporaryDirectory[str]") -> None:
    for service in services:
        service.kill()
    writer.close()
    folder.cleanup()
