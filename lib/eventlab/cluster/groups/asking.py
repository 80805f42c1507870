"""Asks the brokers about their groups: who is in them, and how far they are."""

import fnmatch
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    ConsumerGroupType,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import OffsetSpec

from eventlab.cluster.errors import LabError
from eventlab.cluster.groups.model import Group, Member, Progress, Protocol, Stand
from eventlab.cluster.groups.share import STATE_TOPIC, ShareGroups
from eventlab.cluster.kafka import Kafka

Where = tuple[str, int]

_PATIENCE_SECONDS = 10.0
_GRACE_SECONDS = 2.0  # beyond that, for the client to say itself what it waited for
_ONE_BROKER_SECONDS = 3.0  # for each broker's word on its groups; the others know of a death after as long
_NAMED = 10  # groups in a sentence
_PATTERN = frozenset("*?[")
_REFUSED = {
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
}
_MOVING = {
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.OFFSET_NOT_AVAILABLE,
}
_AGAIN_SECONDS = 0.2
_STATES = {
    ConsumerGroupState.PREPARING_REBALANCING: "rebalancing",
    ConsumerGroupState.COMPLETING_REBALANCING: "rebalancing",
}
_PROTOCOLS: dict[Any, Protocol] = {ConsumerGroupType.CONSUMER: "consumer", ConsumerGroupType.CLASSIC: "classic"}
_GONE = "there is no such topic, or you may not see it"
_NO_LEADER = "no broker leads it"


class Groups:
    """The groups of one cluster, to be looked at again and again.

    ``unheard`` says why there may be groups that the last look did not show; empty when all were heard of.
    """

    def __init__(self, kafka: Kafka) -> None:
        self._kafka, self.unheard = kafka, ""
        self._share: ShareGroups | None = None

    def look(self, names: Collection[str] = ()) -> list[Group]:
        """All groups that you may see, or those that ``names`` name (``shop.*`` is a pattern), by name.

        Raises LabError for a name that no group has, when you may not look at one, and when no broker answers.
        """
        self.unheard = ""
        topics = self._topics()
        consumers = self._listed()
        unknown = {name for name in names if not _is_pattern(name)} - consumers.keys()
        shares = self._share_states(STATE_TOPIC in topics or bool(unknown))
        chosen = self._chosen(names, [*consumers, *shares])
        described = self._described([name for name in chosen if name in consumers])
        members = {name: tuple(map(_member, told.members)) for name, told in described.items()}
        stands = {name: self._committed(name) for name in described}
        if shared := [name for name in chosen if name in shares]:
            assert self._share
            members |= self._share.members(shared)
            stands |= self._share.offsets(shared)
        places = {name: _places(stands[name], members[name], topics) for name in stands}
        # The ends last: a topic that grows meanwhile cannot make a group seem to be ahead of it.
        marks = self._marks({where for every in places.values() for where in every}, topics)
        at = time.monotonic()
        return [
            Group(
                name,
                at,
                _state(described[name].state) if name in described else shares[name],
                _PROTOCOLS[consumers[name]] if name in described else "share",
                members[name],
                tuple(marks(where, stands[name].get(where, Stand())) for where in places[name]),
            )
            for name in sorted(stands)
        ]

    def progress(self, name: str, topic: str) -> list[Progress]:
        """How far the consumer group ``name`` is in each partition of ``topic``, also if the brokers do not know it."""
        topics, stands = self._topics(), self._committed(name)
        places = _places({}, [], {topic: topics[topic]}, {topic}) if topic in topics else []
        marks = self._marks(places, topics)
        return [marks(where, stands.get(where, Stand())) for where in places]

    def close(self) -> None:
        """Close what was opened for share groups."""
        if self._share:
            self._share.close()

    def _topics(self) -> Mapping[str, Any]:
        """Each topic with the metadata of its partitions."""
        try:
            found = self._kafka.admin.list_topics(timeout=_PATIENCE_SECONDS).topics
        except KafkaException as error:
            raise LabError(
                f"No broker at {self._kafka.bootstrap} answers ({error.args[0].str()}). `eventlab status` shows those "
                "of the lab; `eventlab up` has all of them run again."
            ) from error
        return {name: topic.partitions for name, topic in found.items()}

    def _listed(self) -> dict[str, Any]:
        """The consumer groups, each with its type. Each broker tells its own; a dead one is asked until it is out."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            told = _answer(self._kafka.admin.list_consumer_groups(request_timeout=_ONE_BROKER_SECONDS), "your groups")
            silent = [error for error in told.errors if error.code() not in _REFUSED]
            if not silent or time.monotonic() > deadline:
                break
            time.sleep(_AGAIN_SECONDS)
            self._topics()  # the client learns which brokers there are now
        if told.errors and not told.valid:
            raise _trouble("your groups", told.errors[0])
        if silent:
            self.unheard = (
                f"Not every broker told its groups ({silent[0].str()}): those of the others are shown. `eventlab "
                "status` shows which of the lab's brokers do not run."
            )
        return {each.group_id: each.type for each in told.valid if each.type in _PROTOCOLS}

    def _share_states(self, likely: bool) -> dict[str, str]:
        """The share groups, each with its state. Kafka's own client takes a second to start: only where it may pay."""
        if self._share is None:
            if not likely:
                return {}
            self._share = ShareGroups(self._kafka.config())
        try:
            return self._share.states()
        except LabError as error:
            self.unheard = self.unheard or str(error)
            return {}

    def _chosen(self, names: Collection[str], there: Collection[str]) -> list[str]:
        if not names:
            return list(there)
        chosen: dict[str, None] = {}
        for name in names:
            fits = fnmatch.filter(there, name) if _is_pattern(name) else [each for each in there if each == name]
            if not fits:
                if self.unheard:
                    raise LabError(self.unheard)
                self._described([name])  # says so if you may not look at it
                raise LabError(f"There is no group {name}. {_some(there)}")
            chosen |= dict.fromkeys(fits)
        return list(chosen)

    def _described(self, names: Sequence[str]) -> dict[str, Any]:
        if not names:
            return {}
        futures = self._kafka.admin.describe_consumer_groups(list(names), request_timeout=_PATIENCE_SECONDS)
        return {name: _answer(future, f"the group {name}") for name, future in futures.items()}

    def _committed(self, name: str) -> dict[Where, Stand]:
        asked = [ConsumerGroupTopicPartitions(name)]
        (future,) = self._kafka.admin.list_consumer_group_offsets(asked, request_timeout=_PATIENCE_SECONDS).values()
        found = _answer(future, f"the group {name}").topic_partitions
        return {(each.topic, each.partition): Stand(each.offset) for each in found if each.offset >= 0}

    def _marks(self, places: Iterable[Where], topics: Mapping[str, Any]) -> "_Marks":
        """Where each partition begins and ends."""
        led = [TopicPartition(*where) for where in places if not _trouble_of(where, topics)]
        committed = IsolationLevel.READ_COMMITTED
        return _Marks(
            topics,
            self._offsets(led, OffsetSpec.earliest()),
            self._offsets(led, OffsetSpec.latest()),
            # After the end: what is written meanwhile is in no transaction that holds anybody up.
            self._offsets(led, OffsetSpec.latest(), isolation_level=committed),
        )

    def _offsets(self, asked: Sequence[TopicPartition], spec: OffsetSpec, **options: Any) -> dict[Where, int | str]:
        """The offset, or why there is none. While a partition changes hands it is asked again."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        told: dict[Where, int | str] = {}
        left = list(asked)
        while left:
            futures = self._kafka.admin.list_offsets(
                dict.fromkeys(left, spec), request_timeout=_PATIENCE_SECONDS, **options
            )
            moving = []
            for where, future in futures.items():
                try:
                    told[where.topic, where.partition] = int(future.result(_PATIENCE_SECONDS).offset)
                except KafkaException as error:
                    told[where.topic, where.partition] = error.args[0].str()
                    if error.args[0].code() in _MOVING:
                        moving.append(where)
                except TimeoutError:
                    told[where.topic, where.partition] = "no answer"
            left = moving if time.monotonic() < deadline else []
            if left:
                time.sleep(_AGAIN_SECONDS)
                self._topics()  # the client learns who leads now
        return told


class _Marks:
    """For a place and what a group remembers of it: how far that is."""

    def __init__(
        self,
        topics: Mapping[str, Any],
        first: Mapping[Where, int | str],
        end: Mapping[Where, int | str],
        stable: Mapping[Where, int | str],
    ) -> None:
        self._topics, self._known = topics, (first, end, stable)

    def __call__(self, where: Where, stand: Stand) -> Progress:
        trouble = _trouble_of(where, self._topics)
        told = [known.get(where) for known in self._known]
        refused = [each for each in told if isinstance(each, str)]
        if trouble or refused:
            return Progress(*where, stand.committed, trouble=trouble or refused[0])
        first, end, stable = (each if isinstance(each, int) else None for each in told)
        return Progress(*where, stand.committed, first, end, stable, stand.left)


def _is_pattern(name: str) -> bool:
    return not _PATTERN.isdisjoint(name)


def _some(names: Collection[str]) -> str:
    if not names:
        return "There is none that you may see."
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"There are: {', '.join(sorted(names)[:_NAMED])}{more}."


def _places(
    stands: Mapping[Where, object], members: Iterable[Member], topics: Mapping[str, Any], whole: Collection[str] = ()
) -> list[Where]:
    """All partitions of each topic that a group has anything to do with: one without a commit is behind as well."""
    mine = {*stands, *(where for member in members for where in member.partitions)}
    about = {*whole, *(topic for topic, _ in mine)}
    every = {(topic, number) for topic in about for number in topics.get(topic, ())}
    return sorted(mine | every)


def _trouble_of(where: Where, topics: Mapping[str, Any]) -> str:
    topic, number = where
    if number not in topics.get(topic, ()):
        return _GONE
    return _NO_LEADER if topics[topic][number].leader < 0 else ""


def _member(told: Any) -> Member:
    places = [(each.topic, each.partition) for each in told.assignment.topic_partitions] if told.assignment else []
    return Member(told.client_id, told.host.lstrip("/"), tuple(sorted(places)))


def _state(told: Any) -> str:
    return _STATES.get(told) or str(told.name).lower()


def _answer(future: Any, what: str) -> Any:
    try:
        return future.result(_PATIENCE_SECONDS + _GRACE_SECONDS)
    except KafkaException as error:
        raise _trouble(what, error.args[0]) from error
    except TimeoutError as error:
        raise LabError(f"The brokers said nothing about {what} within {_PATIENCE_SECONDS:g} s.") from error


def _trouble(what: str, said: KafkaError) -> LabError:
    if said.code() in _REFUSED:
        return LabError(f"You may not look at {what} ({said.str()}): it takes the right to describe groups and topics.")
    return LabError(f"The brokers tell nothing of {what} ({said.str()}). Do all of them run, and may you see it?")
