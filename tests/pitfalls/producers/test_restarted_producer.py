from hypothesis import given
from hypothesis import strategies as st
from tests.pitfalls.histories import clean_histories, reread

from eventlab.pitfalls import outbox
from eventlab.pitfalls.actors import Actor
from eventlab.pitfalls.checkers import duplicates
from eventlab.pitfalls.producers import restarted_producer
from eventlab.pitfalls.producers.restarted_producer import once
from eventlab.pitfalls.shoppers import interleaved, stories
from eventlab.pitfalls.topics import read

FACTS = interleaved(stories(12), 7)


def test_the_batch_that_was_not_noted_is_sent_twice_and_both_times_acknowledged(kafka):
    history = restarted_producer.run(kafka).history
    facts = [record.fact for record in history.read]
    assert facts == [*facts[:50], *facts[25:50], *facts[75:]]
    assert [(attempt.fact, attempt.offset) for attempt in history.sent] == [
        (record.fact, record.offset) for record in history.read
    ]


def test_the_reader_who_knows_ids_takes_each_event_once_and_in_order(kafka):
    result = restarted_producer.run(kafka, reader="knows ids")
    assert [record.fact for record in result.records] == interleaved(stories(restarted_producer.SHOPPERS), 7)
    assert len(result.history.sent) == len(result.records) + 25


def test_a_relay_that_is_killed_when_all_is_noted_doubles_nothing(kafka, tmp_path):
    topic, shop = kafka.topic("carts"), tmp_path / "shop.db"
    outbox.fill(shop, FACTS)
    with Actor(outbox.relay, outbox=str(shop), topic=topic, config=kafka.config()) as relay:
        relay.until("noted")
        relay.restart()
        relay.finish()
    assert [record.fact for record in read(kafka, topic)] == FACTS


@given(clean=clean_histories(), data=st.data())
def test_once_keeps_the_first_of_each_event_in_the_order_of_reading(clean, data):
    again = data.draw(st.lists(st.sampled_from(clean.read))) if clean.read else []
    delivered = reread([*clean.read, *again]).read
    taken = once(delivered)
    assert [record.id for record in taken] == list(dict.fromkeys(record.id for record in delivered))
    assert all(record in delivered for record in taken)
    assert once(taken) == taken
    assert duplicates(clean.reread(tuple(taken))) == []
