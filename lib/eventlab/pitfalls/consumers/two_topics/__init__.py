"""P22: live, a reader gets two topics in the order in which things happen; in a replay it does not."""

from collections.abc import Iterable

from confluent_kafka import Message

from eventlab.cluster import Kafka
from eventlab.pitfalls.consumers.two_topics.bank import ACCOUNTS, TariffSet, Topic, day, decode
from eventlab.pitfalls.consumers.two_topics.reading import by_time, live, replay
from eventlab.pitfalls.consumers.two_topics.result import Readings
from eventlab.pitfalls.consumers.two_topics.view import Join, View
from eventlab.pitfalls.experiment import Pitfall

_LOST = 2  # of an account's tariffs: there are payments under it
_LATE: tuple[Topic, ...] = ("payments", "accounts")


def run(kafka: Kafka, *, join: Join = "as it comes", lost: bool = False, seed: int = 7) -> Readings:
    """Accounts change their tariffs, and make payments, which cost what the tariff says. A view adds up the fees.

    The same view is built three times: by a reader that is there when things happen, and by two that begin later and
    get one topic after the other. ``join``: how it finds a payment's tariff (:class:`View`); ``by time`` takes both
    topics as one in the order of timestamps. ``lost``: one of the tariffs never reaches its topic.
    """
    events = day(seed)
    if lost:
        events.remove(next(each for each in events if isinstance(each, TariffSet) and each.version == _LOST))
    topics: dict[Topic, str] = {topic: kafka.topic(topic) for topic in ("accounts", "payments")}
    views = {"live": _view(join, live(kafka, topics, events))}
    for late in _LATE:
        views[f"{late} late"] = _view(join, replay(kafka, topics, late))
    return Readings(events, views, PITFALL.unit)


def _view(join: Join, messages: Iterable[Message]) -> View:
    view = View(join)
    for message in by_time(messages) if join == "by time" else messages:
        view.take(decode(message.value()))
    return view


PITFALL = Pitfall(
    id="P22",
    hypothesis="A view over two topics that is built anew from the same records shows something else.",
    workload=f"{ACCOUNTS} accounts that change their tariffs in one topic, and their payments in another",
    metric=None,
    unit="accounts pay other fees after a replay",
    run=run,
    broken={"join": "as it comes"},
    cured={"join": "hold aside"},
    seed=7,
    budget=10,
    brokers=1,
    sources=(
        "https://github.com/lovoo/goka/issues/210",
        "https://github.com/confluentinc/ksql/issues/5537",
        "https://github.com/apache/kafka/pull/18747",
        "https://github.com/confluentinc/kafka-connect-jdbc/issues/1210",
        "https://github.com/RegioHelden/django-kafka/issues/45",
        "https://github.com/apache/kafka/pull/13622",
    ),
)
