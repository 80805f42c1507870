import pytest

from eventlab.cluster import LabError
from eventlab.cluster.faults import Frames
from eventlab.cluster.proxy import FaultProxy
from eventlab.pitfalls.topics import await_stable, read
from eventlab.pitfalls.transactions import Teller
from eventlab.pitfalls.transfers import transfers

both = pytest.mark.parametrize("client", ["librdkafka", "java"])


def config(kafka, **settings):
    return kafka.config(**{"transactional.id": kafka.name("bank"), **settings})


def fates(teller):
    return [(attempt.fact.id, attempt.status, attempt.transaction) for attempt in teller.sent]


@both
def test_what_is_committed_is_read_and_the_teller_knows_the_fate_and_place_of_each(kafka, client):
    topic = kafka.topic("accounts", partitions=2)
    (first, _), (second, _), (third, _) = transfers(3, seed=1)
    with Teller(config(kafka), client) as bank:
        for fact, how in ((first, "commit"), (second, "abort")):
            bank.begin()
            bank.send(topic, fact, 1, transaction=how)
            bank.end(how)
        bank.begin()
        bank.send(topic, third, 1, transaction="open")
        assert fates(bank) == [
            ("transfer-1/1", "ok", "commit"), ("transfer-2/1", "fail", "abort"), ("transfer-3/1", "unknown", "open")
        ]  # fmt: skip
        assert [attempt.place for attempt in bank.sent] == [(1, 0), (1, 2), (1, 4)]
    assert [record.fact for record in read(kafka, topic)] == [first]


def test_no_answer_is_a_timeout_and_a_new_producer_fences_what_is_late(kafka):
    topic = kafka.topic("accounts", partitions=2)
    [(debit, _)] = transfers(1, seed=1)
    with FaultProxy(kafka) as proxy, Teller(config(kafka, **proxy.config()), seconds=0.2) as bank:
        kept = proxy.hold(Frames("EndTxn", nth=1))
        bank.begin()
        bank.send(topic, debit, 0, transaction="late")
        with pytest.raises(TimeoutError):
            bank.end("commit")
        assert fates(bank) == [("transfer-1/1", "unknown", "late")]
        bank.replace()
        kept.release()
        bank.begin()
        bank.send(topic, debit, 0, transaction="again")
        bank.end("commit")
        assert fates(bank) == [("transfer-1/1", "unknown", "late"), ("transfer-1/1", "ok", "again")]
    assert await_stable(kafka, topic)
    assert len(read(kafka, topic)) == 1


def test_an_answer_that_is_lost_with_its_connection_is_asked_for_again_and_nobody_hears_of_it(kafka):
    topic = kafka.topic("accounts", partitions=2)
    [(debit, _)] = transfers(1, seed=1)
    with FaultProxy(kafka) as proxy, Teller(config(kafka, **proxy.config())) as bank:
        cut = proxy.cut(Frames("EndTxn", "response", nth=1))
        asked = proxy.delay(Frames("EndTxn"), seconds=0)
        bank.begin()
        bank.send(topic, debit, 0, transaction="cut")
        bank.end("commit")
        assert (cut.struck, asked.struck) == (1, 2)


@both
def test_what_the_broker_refuses_is_an_error_that_says_so(kafka, client):
    topic = kafka.topic("small", max_message_bytes=20)
    [(debit, _)] = transfers(1, seed=1)
    with Teller(config(kafka), client) as bank:
        bank.begin()
        with pytest.raises(LabError, match="refused"):
            bank.send(topic, debit, 0, transaction="large")
    with pytest.raises(LabError, match="refused a transaction"), Teller(config(kafka), client) as bank:
        bank.end("commit")
