"""Whether a view of a topic keeps up with it."""

import time

import pytest
from tests.topics.shop import CARTS
from tests.views.shop import POISON, added, carts, fails_on_poison

from eventlab.cluster import Kafka, ends
from eventlab.store import Unavailable
from eventlab.topics import TopicProjector, keeping_up

EVENTS = 10


def test_a_view_that_catches_up_says_when_it_is_there(kafka, topic, log, home, monkeypatch):
    projector = TopicProjector(kafka, topic, home, carts)
    log.append(CARTS[0], [added() for _ in range(2 * EVENTS)])

    def meanwhile(_):
        projector.catch_up()
        log.append(CARTS[1], [added() for _ in range(EVENTS)])

    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", meanwhile)
        pace = keeping_up(kafka, projector)
    assert pace.lag == EVENTS
    assert round(pace.done_per_second * pace.seconds) == 2 * EVENTS
    assert pace.keeps_up()
    still = keeping_up(kafka, projector, seconds=0.05)
    assert (still.lag, still.there_in, still.keeps_up()) == (EVENTS, None, False)


def test_a_view_with_parked_records_does_not_keep_up(kafka, topic, log, home):
    log.append(CARTS[0], [added(POISON)])
    projector = TopicProjector(kafka, topic, home, fails_on_poison(carts), on_failure="park")
    projector.catch_up()
    pace = keeping_up(kafka, projector, seconds=0.05)
    assert (pace.lag, pace.aside, pace.keeps_up()) == (0, 1, False)


def test_a_cluster_that_is_gone_is_a_sentence_and_so_is_a_topic(kafka, topic, log, home, monkeypatch):
    log.append(CARTS[0], [added()])
    projector = TopicProjector(kafka, topic, home, carts)
    monkeypatch.setattr(ends, "_PATIENCE_SECONDS", 0.5)
    with pytest.raises(Unavailable, match=f"where {topic} ends cannot be told: .*eventlab status"):
        keeping_up(Kafka({"bootstrap.servers": "127.0.0.1:9"}, None), projector)
    monkeypatch.undo()
    kafka.delete([topic])
    with pytest.raises(Unavailable, match=f"where {topic} ends cannot be told"):
        keeping_up(kafka, projector)
