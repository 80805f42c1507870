"""kill -9 of a projector of a topic at every step, and owners that come back from the dead (P13, P14, P16)."""

import time
from collections.abc import Callable
from typing import Literal

import pytest
from tests.topics import works
from tests.topics.shop import ends, everywhere, holds, write
from tests.views.shop import carts

from eventlab.cluster import Kafka
from eventlab.pitfalls.actors import Actor
from eventlab.store import KafkaEventLog, Unavailable
from eventlab.topics import Database, Fenced, TopicProjector, lag, wait_until
from eventlab.views import Running

PATIENCE_SECONDS = 60.0
APPENDS = 10


def worker(kafka: Kafka, topic: str, url: str, group: str, **options: object) -> Actor:
    return Actor(works.serve, config=kafka.config(), topic=topic, url=url, group=group, **options)


def member(kafka: Kafka, topic: str, home: Database, group: str, **options: object) -> TopicProjector:
    return TopicProjector(kafka, topic, home, carts, group=group, **options)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_killed_at_every_step_it_goes_on_where_the_view_stands(
    kafka: Kafka, topic: str, log: KafkaEventLog, home: Database, sql_url: str
) -> None:
    group = kafka.name("carts")
    with worker(kafka, topic, sql_url, group, member="one") as victim:
        for seed, step in enumerate(works.STEPS):
            write(log, seed, 3)
            victim.until(step)
            victim.restart()
        victim.until("committed")
        victim.kill()
    projector = member(kafka, topic, home, group, member="one")
    with Running([projector]):
        write(log, 99, APPENDS)
        wait_until(projector, ends(log), PATIENCE_SECONDS)
    holds(home, log)
    assert lag(kafka, projector) == (0, 0, 0)


@pytest.mark.parametrize("step", ["read", "about to commit"])
def test_who_was_taken_over_from_writes_nothing_more(
    kafka: Kafka, topic: str, log: KafkaEventLog, postgres_url: str, step: str
) -> None:
    """It stands with records in hand, or with them in a transaction, while another one takes all partitions."""
    home = Database(postgres_url)
    write(log, 1, APPENDS)
    with worker(kafka, topic, postgres_url, kafka.name("carts")) as zombie:
        zombie.until(step)
        zombie.pause()
        projector = member(kafka, topic, home, kafka.name("others"))
        projector.catch_up()
        holds(home, log)
        zombie.resume()
        zombie.until("took")  # fenced, it has joined its group again
        write(log, 2, APPENDS)
        projector.catch_up()
    holds(home, log)
    home.close()


def test_without_a_group_whoever_is_taken_over_from_stops(
    kafka: Kafka, topic: str, log: KafkaEventLog, home: Database
) -> None:
    write(log, 1, 5)
    first = TopicProjector(kafka, topic, home, carts)
    running = Running([first])
    wait_until(first, ends(log), PATIENCE_SECONDS)
    TopicProjector(kafka, topic, home, carts).catch_up()
    write(log, 2, 5)
    wait_for(lambda: running.failed)
    with pytest.raises(Fenced, match="another one has taken partition"):
        running.stop()
    TopicProjector(kafka, topic, home, carts).catch_up()
    holds(home, log)


def test_a_member_that_is_killed_is_replaced_at_once_by_its_name(
    kafka: Kafka, topic: str, log: KafkaEventLog, sqlite_url: str
) -> None:
    group, home = kafka.name("carts"), Database(sqlite_url)
    projector = member(kafka, topic, home, group)
    write(log, 1, APPENDS)
    with worker(kafka, topic, sqlite_url, group, member="one") as other, Running([projector]):
        other.until("took")
        everywhere(log)
        other.until("read")
        other.restart()
        other.until("took")
        everywhere(log)
        other.until("read")
        other.kill()
        with Running([member(kafka, topic, home, group, member="one")]):
            wait_until(projector, ends(log), PATIENCE_SECONDS)
    holds(home, log)
    home.close()


def test_of_two_members_with_one_name_the_first_stops_and_says_so(
    kafka: Kafka, topic: str, log: KafkaEventLog, sqlite_url: str
) -> None:
    group, home = kafka.name("carts"), Database(sqlite_url)
    first, second = (member(kafka, topic, home, group, member="one") for _ in range(2))
    running = Running([first])
    wait_for(lambda: first.partitions == [0, 1, 2])
    with Running([second]):
        wait_for(lambda: running.failed)
        write(log, 1, APPENDS)
        wait_until(second, ends(log), PATIENCE_SECONDS)
    with pytest.raises((Fenced, Unavailable), match=r"fenced by other consumer|taken partition"):
        running.stop()
    holds(home, log)
    home.close()


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_members_come_and_go_and_share_the_partitions(
    kafka: Kafka, topic: str, log: KafkaEventLog, sqlite_url: str, protocol: Literal["classic", "consumer"]
) -> None:
    group, home = kafka.name("carts"), Database(sqlite_url)
    one, two = (member(kafka, topic, home, group, protocol=protocol) for _ in range(2))
    write(log, 1, APPENDS)
    with Running([one]):
        wait_for(lambda: one.partitions == [0, 1, 2])
        with Running([two]):
            write(log, 2, APPENDS)
            wait_for(lambda: two.partitions and one.partitions)
            wait_for(lambda: sorted(one.partitions + two.partitions) == [0, 1, 2])
            write(log, 3, APPENDS)
            wait_until(one, ends(log), PATIENCE_SECONDS)
        write(log, 4, APPENDS)
        wait_until(one, ends(log), PATIENCE_SECONDS)
    holds(home, log)
    home.close()


def test_one_that_slept_past_its_session_applies_nothing_twice(
    kafka: Kafka, topic: str, log: KafkaEventLog, postgres_url: str
) -> None:
    """SIGSTOP with records in hand; the group gives its partitions to the other member, and then it wakes up."""
    group, home = kafka.name("carts"), Database(postgres_url)
    write(log, 1, APPENDS)
    with worker(kafka, topic, postgres_url, group, session_ms=2000) as zombie:
        zombie.until("read")
        zombie.pause()
        projector = member(kafka, topic, home, group)
        with Running([projector]):
            wait_until(projector, ends(log), PATIENCE_SECONDS)
            holds(home, log)
            zombie.resume()
            zombie.until("took")
            write(log, 2, APPENDS)
            zombie.kill()
        projector.catch_up()
    holds(home, log)
    home.close()
