"""Settings of librdkafka and of topics, in librdkafka's and the broker's names; each is one row with its reason."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from eventlab.settings.quiet import QUIET


class Default(NamedTuple):
    """A setting, why it is so, and its proof: the pitfall of the gallery that it cures, a public page, or ``measured``.

    What was measured says ``docs/decisions/kafka-defaults.md``.
    """

    name: str
    value: bool | int | str
    reason: str
    proof: str


MEASURED = "measured"
# How long to wait for a commit or abort: less than socket.timeout.ms, past which librdkafka repeats it in silence (P9).
ANSWER_SECONDS = 8.0
_RACE = "https://issues.apache.org/jira/browse/KAFKA-15591"

PRODUCER = (
    Default("enable.idempotence", True, "librdkafka's default is off: a retry stores twice, or out of order", "P5, P6"),
    Default("acks", "all", "with fewer, what was acknowledged goes with the leader that had it alone", "P26"),
    Default(
        "max.in.flight",
        1,
        "more than one request can lose the first records of a new topic although all are acknowledged; Kafka 4.5 "
        "mends that (https://github.com/apache/kafka/pull/23234)",
        _RACE,
    ),
    Default("partitioner", "murmur2_random", "the Java client's; librdkafka's own puts the same key elsewhere", "P3"),
    Default(
        "allow.auto.create.topics", False, "a mistyped name is an error, not a new topic with other settings", MEASURED
    ),
    Default("linger.ms", 0, "who waits for an acknowledgement gains nothing from waiting for a fuller batch", MEASURED),
    Default("log_level", 0, "what goes wrong is raised; librdkafka prints it besides, past Python", MEASURED),
)
TRANSACTIONS = (
    Default(
        "transaction.timeout.ms",
        10_000,
        "as long as a dead producer's transaction is open, nobody reads on; the default is a minute",
        "P10",
    ),
    Default(
        "socket.timeout.ms",
        10_000,
        "longer than a commit or abort is waited for: past it librdkafka repeats the request in silence, and a late "
        "one tears the next transaction",
        "P9",
    ),
)
CONSUMER = (
    Default("isolation.level", "read_committed", "said, because Java's default is the other one", "P12"),
    Default("enable.auto.commit", False, "a timer commits what is not processed yet; the view has the offsets", "P13"),
    Default("enable.auto.offset.store", False, "nor does a poll count as processed", "P13"),
    Default("auto.offset.reset", "error", "what was deleted unread is missing from the view: stop and say so", "P19"),
    Default("enable.partition.eof", True, "the end is known, also where marks of transactions stand in it", MEASURED),
    Default("fetch.wait.max.ms", 100, "how long a broker holds its answer at the end: the end shows sooner", MEASURED),
    Default("log_level", 0, "what goes wrong is raised; librdkafka prints it besides, past Python", MEASURED),
)
MEMBER = (
    Default(
        "partition.assignment.strategy",
        "cooperative-sticky",
        "a rebalance stops only the partitions that move, so that fewer are taken from somebody at work",
        MEASURED,
    ),
    Default(
        "session.timeout.ms", 10_000, "how long the partitions of a dead member stand still; 45 s by default", MEASURED
    ),
)
TOPIC = (
    Default("cleanup.policy", "delete", "compaction keeps one event for each stream, the last", "P25"),
    Default("retention.ms", -1, "a story keeps its beginning, and what is imported with old timestamps", "P28, P20"),
    Default("retention.bytes", -1, "the same, by size", "P28"),
    Default("min.insync.replicas", 2, "with one, acks=all is one broker's word (of three replicas)", "P27"),
    Default("unclean.leader.election.enable", False, "a replica that missed events would unwrite them", "P27"),
)


def producer(**over: Any) -> dict[str, Any]:
    """The settings of a producer."""
    return _values(PRODUCER) | over


def transactions(transactional_id: str, **over: Any) -> dict[str, Any]:
    """The settings of a producer with transactions; ``transactional_id`` is its shard's and stays the same (P32)."""
    own = {"transactional.id": transactional_id, "logger": QUIET}
    return producer() | _values(TRANSACTIONS) | own | over


def consumer(group: str, **over: Any) -> dict[str, Any]:
    """The settings of a consumer whose partitions are assigned by hand; the client wants the name of a group anyway."""
    return _values(CONSUMER) | {"group.id": group} | over


def member(group: str, **over: Any) -> dict[str, Any]:
    """The settings of a member of ``group``, which shares the partitions."""
    return consumer(group) | _values(MEMBER) | over


def topic(replicas: int) -> dict[str, Any]:
    """The settings of a topic that holds events, as ``kafka.topic("carts", **topic(3))`` takes them.

    With fewer than three ``replicas`` one must do: with two, no broker could be away.
    """
    values = _values(TOPIC) | ({} if replicas >= 3 else {"min.insync.replicas": 1})
    return {name.replace(".", "_"): str(value).lower() for name, value in values.items()}


def _values(defaults: Iterable[Default]) -> dict[str, Any]:
    return {each.name: each.value for each in defaults}
