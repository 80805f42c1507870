"""What a view of a topic does when all is not well: records that fail, are missing, come twice or were deleted."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import NewPartitions
from msgspec.structs import replace as changed
from tests.topics.shop import CARTS, ends, everywhere, holds, write
from tests.views.shop import POISON, added, cart, carts, fails_on_poison, removed, shown

from eventlab import settings
from eventlab.cluster import Kafka
from eventlab.events.envelope import Recorded, Version
from eventlab.store import KafkaEventLog
from eventlab.topics import (
    Database,
    Lag,
    Record,
    RecordFailed,
    RecordsLost,
    TopicProjector,
    drop,
    lag,
    log_events,
    parked,
    rebuild,
    retry_parked,
    switch,
    wait_until,
)
from eventlab.views import NotReached, Running, View, ViewError, live_version

PATIENCE_SECONDS = 60.0
Make = Callable[..., TopicProjector]


@pytest.fixture
def project(kafka: Kafka, topic: str, home: Database) -> Make:
    def make(view: View = carts, **options: object) -> TopicProjector:
        return TopicProjector(kafka, topic, home, view, **options)

    return make


def silent(done: int, total: int) -> None:
    """No progress bar."""


def send(kafka: Kafka, topic: str, key: bytes | None, partition: int = 0) -> None:
    """A record that no log wrote."""
    producer = Producer(kafka.config(**settings.producer()))
    producer.produce(topic, b"{}", key, partition)
    assert not producer.flush(PATIENCE_SECONDS)
    producer.close()


class TestFailing:
    def test_it_stops_before_the_record_and_goes_on_once_mended(
        self, log: KafkaEventLog, home: Database, project: Make
    ) -> None:
        log.append(cart(1), [added(), added(POISON), added("coat")])
        for _ in range(2):
            with pytest.raises(RecordFailed, match=r"stopped before .*offset 1 \(key 'cart-1'\): KeyError: 'poison'"):
                project(fails_on_poison(carts)).catch_up()
            assert [row[2] for row in shown(home, carts)] == [" 1"]
        assert project().catch_up() == 2
        holds(home, log)

    def test_it_parks_the_key_and_goes_on_with_the_others(
        self, kafka: Kafka, log: KafkaEventLog, home: Database, project: Make
    ) -> None:
        same = [stream for stream in CARTS if log.partition(stream) == log.partition(cart(1))][:2]
        log.append(same[0], [added(), added(POISON)])
        log.append(same[1], [added(), removed()])
        log.append(same[0], [added("coat")])
        projector = project(fails_on_poison(carts), on_failure="park")
        projector.catch_up()
        assert [(each.offset, each.key.decode(), each.error) for each in parked(projector)] == [
            (1, str(same[0]), "KeyError: 'poison'"),
            (4, str(same[0]), "waits for offset 1 of its key"),
        ]
        assert lag(kafka, projector) == Lag(0, 0, 2)
        assert {row[0]: row[2] for row in shown(home, carts)} == {str(same[0]): " 1", str(same[1]): " 1 2"}
        with pytest.raises(ViewError, match="retry_parked"):
            wait_until(projector, ends(log))
        assert retry_parked(projector) == 0
        assert retry_parked(project()) == 2
        assert parked(projector) == []
        holds(home, log)

    def test_an_unreadable_record_is_parked_with_its_key_and_one_without_a_key_stops(
        self, kafka: Kafka, topic: str, log: KafkaEventLog, home: Database, project: Make
    ) -> None:
        poisoned = next(stream for stream in CARTS if log.partition(stream) == 0)
        send(kafka, topic, str(poisoned).encode())
        everywhere(log)
        log.append(poisoned, [added()])
        projector = project(on_failure="park")
        projector.catch_up()
        assert parked(projector)[0].error.startswith("Unreadable: ")
        assert {each.key for each in parked(projector)} == {str(poisoned).encode()}
        send(kafka, topic, None)
        with pytest.raises(RecordFailed, match=r"key missing.*it has no key"):
            projector.catch_up()


class TestOnce:
    def test_an_event_that_was_sent_twice_is_applied_once_and_counted_as_readers_count(
        self, log: KafkaEventLog, home: Database, project: Make
    ) -> None:
        first, later = added("socks"), added("coat")
        for new in (first, later, first):
            log.append(cart(1), [new])
        project().catch_up()
        log.append(cart(1), [later, added("hat")])
        project().catch_up()
        assert [recorded.version for recorded in log.read(cart(1))] == [1, 2, 3, 4, 5]
        assert [tuple(row) for row in shown(home, carts)] == [("cart-1", 3, " 1 2 5")]


def own_versions(record: Record) -> Recorded:
    """A topic whose events carry their versions: here as their quantity."""
    recorded = log_events()(record)
    return changed(recorded, version=Version(recorded.event.quantity))


class TestVersions:
    @pytest.mark.parametrize(
        ("versions", "why"), [((1, 2, 4), "version 4 comes next"), ((1, 2, 2), "claims version 2")]
    )
    def test_a_gap_or_a_second_claim_stops_it(
        self, log: KafkaEventLog, home: Database, project: Make, versions: tuple[int, ...], why: str
    ) -> None:
        log.append(cart(1), [added("socks", version) for version in versions])
        with pytest.raises(RecordFailed, match=rf"offset 2 .*OutOfPlace: cart-1 is at version 2.*{why}"):
            project(read=own_versions).catch_up()
        assert [row[2] for row in shown(home, carts)] == [" 1 2"]

    def test_the_same_event_again_is_no_second_claim(self, log: KafkaEventLog, home: Database, project: Make) -> None:
        events = [added("socks", version) for version in (1, 2, 3)]
        log.append(cart(1), events)
        log.append(cart(1), [events[0], added("socks", 4)])
        project(read=own_versions).catch_up()
        assert [row[2] for row in shown(home, carts)] == [" 1 2 3 4"]

    def test_added_partitions_stop_it(self, kafka: Kafka, topic: str, log: KafkaEventLog, project: Make) -> None:
        projector = project()
        for future in kafka.admin.create_partitions([NewPartitions(topic, 4)]).values():
            future.result(PATIENCE_SECONDS)
        with pytest.raises(ViewError, match="had 3 partitions when the view carts v1 was made, and has 4 now"):
            project()
        with pytest.raises(ViewError, match="4 partitions"):
            projector.catch_up()
        with pytest.raises(ViewError, match="4 partitions"):
            lag(kafka, projector)


class TestDeleted:
    @pytest.mark.parametrize("group", [False, True])
    def test_records_that_were_deleted_unread_stop_it(
        self, kafka: Kafka, topic: str, log: KafkaEventLog, project: Make, group: bool
    ) -> None:
        stream = next(stream for stream in CARTS if log.partition(stream) == 0)
        log.append(stream, [added(), added()])
        projector = project(group=kafka.name("carts")) if group else project()
        project().catch_up()
        log.append(stream, [added(), added()])
        for future in kafka.admin.delete_records([TopicPartition(topic, 0, 3)]).values():
            future.result(PATIENCE_SECONDS)
        with pytest.raises(RecordsLost, match=r"go on at offset 2 of .*, partition 0, which has offsets 3 to 3 now"):
            projector.run()

    def test_a_view_is_not_built_from_a_topic_that_lost_its_beginning(
        self, kafka: Kafka, topic: str, log: KafkaEventLog, project: Make
    ) -> None:
        everywhere(log)
        for future in kafka.admin.delete_records([TopicPartition(topic, 0, 1)]).values():
            future.result(PATIENCE_SECONDS)
        with pytest.raises(RecordsLost, match="go on at offset 0"):
            project().catch_up()


class TestProgress:
    def test_lag_tells_what_is_unread_from_what_an_open_transaction_hides(
        self, kafka: Kafka, topic: str, log: KafkaEventLog, home: Database, project: Make
    ) -> None:
        projector = project()
        log.append(cart(1), [added(), added()])
        assert lag(kafka, projector) == Lag(2, 0, 0)
        producer = Producer(kafka.config(**settings.transactions(kafka.name("shop"))))
        producer.init_transactions(PATIENCE_SECONDS)
        producer.begin_transaction()
        producer.produce(topic, b"{}", b"cart-1", log.partition(cart(1)))
        assert not producer.flush(PATIENCE_SECONDS)
        projector.catch_up()
        assert lag(kafka, projector) == Lag(0, 1, 0)
        producer.abort_transaction(PATIENCE_SECONDS)
        projector.catch_up()
        assert lag(kafka, projector) == Lag(0, 0, 0), "also the mark of the transaction is behind it"
        holds(home, log)
        producer.close()

    def test_read_your_own_writes(self, log: KafkaEventLog, home: Database, project: Make) -> None:
        projector = project()
        with Running([projector]):
            for number in range(1, 4):
                appended = log.append(cart(1), [added()])
                wait_until(projector, {log.partition(cart(1)): appended.positions[-1]}, PATIENCE_SECONDS)
                assert [row[1] for row in shown(home, carts)] == [number]
        appended = log.append(cart(1), [added()])
        with pytest.raises(NotReached, match="did not reach"):
            wait_until(projector, {log.partition(cart(1)): appended.positions[-1]}, 0.1)


class TestRebuild:
    def test_it_is_built_beside_the_live_one_and_takes_its_place(
        self, kafka: Kafka, log: KafkaEventLog, home: Database, project: Make
    ) -> None:
        write(log, 1, 5)
        old = project()
        second = project(replace(carts, version=2))
        with Running([old]):
            wait_until(old, ends(log), PATIENCE_SECONDS)
            second.catch_up()
            write(log, 2, 5)
            wait_until(old, ends(log), PATIENCE_SECONDS)
            before = shown(home, carts)
            switch(second)  # which applies what the old one has already
            assert shown(home, carts) == before
        holds(home, log)
        drop(old)
        assert live_version(home, carts) == 2
        write(log, 3, 3)
        second.catch_up()
        holds(home, log)

    def test_a_rebuild_that_fails_or_parks_leaves_readers_alone(
        self, log: KafkaEventLog, home: Database, project: Make
    ) -> None:
        log.append(cart(1), [added(), added(POISON)])
        project().catch_up()
        second = replace(fails_on_poison(carts), version=2)
        with pytest.raises(RecordFailed):
            rebuild(project(second), silent)
        with pytest.raises(ViewError, match="parked"):
            rebuild(project(second, on_failure="park"), silent)
        assert live_version(home, carts) == 1
        assert rebuild(project(replace(carts, version=3)), silent).events == 2
        assert live_version(home, carts) == 3
        holds(home, log)


def test_a_view_belongs_to_its_topic(kafka: Kafka, home: Database, project: Make) -> None:
    project()
    with pytest.raises(ViewError, match="is one of the topic"):
        TopicProjector(kafka, kafka.topic("others", 3), home, carts)


def test_a_member_needs_a_group_that_knows_names(kafka: Kafka, topic: str, project: Make) -> None:
    for options in ({}, {"group": "carts", "protocol": "consumer"}):
        with pytest.raises(ValueError, match="needs a classic group"):
            project(member="one", **options)
