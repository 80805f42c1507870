from confluent_kafka import IsolationLevel

from eventlab.cluster.ends import ends
from eventlab.pitfalls.producers import open_transaction
from eventlab.pitfalls.record import Fact
from eventlab.pitfalls.topics import Writer, await_stable, read
from eventlab.pitfalls.transactions import Teller


def test_what_lies_behind_the_open_transaction_is_not_read_and_all_was_acknowledged(kafka):
    result = open_transaction.run(kafka)
    sold = result.history.sent
    assert {attempt.status for attempt in sold} == {"ok"}
    assert [record.fact for record in result.records] == [attempt.fact for attempt in sold[: len(sold) // 2]]
    assert set(result.wrong) == {attempt.fact.key for attempt in sold[len(sold) // 2 :]}


def test_once_the_broker_has_ended_it_all_is_read_but_what_it_held(kafka):
    result = open_transaction.run(kafka, transaction_timeout_ms=open_transaction.SHORT_MS)
    assert [record.fact for record in result.records] == [attempt.fact for attempt in result.history.sent]
    assert [mark.kind for mark in result.marks] == ["abort", "last stable offset", "high watermark"]


def test_the_last_stable_offset_stays_where_the_transaction_begins(kafka):
    topic = kafka.topic("held")
    before, held, after = (Fact("cart-1", version, "ItemAdded", "added", "shop") for version in (1, 2, 3))
    with Teller(kafka.config(**{"transactional.id": kafka.name("held")})) as teller:
        with Writer(kafka) as shop:
            shop.send(topic, before, "cart-1")
        teller.begin()
        teller.send(topic, held, 0, transaction="held")
        with Writer(kafka) as shop:
            shop.send(topic, after, "cart-1")
        assert ends(kafka, topic, IsolationLevel.READ_COMMITTED) == {0: 1}
        assert ends(kafka, topic, IsolationLevel.READ_UNCOMMITTED) == {0: 3}
        assert not await_stable(kafka, topic, seconds=0)
        assert [record.version for record in read(kafka, topic)] == [1]
        assert [record.version for record in read(kafka, topic, **{"isolation.level": "read_uncommitted"})] == [1, 2, 3]
        teller.end("commit")
        assert await_stable(kafka, topic)
        assert ends(kafka, topic, IsolationLevel.READ_COMMITTED) == {0: 4}
        assert [record.version for record in read(kafka, topic)] == [1, 2, 3]
