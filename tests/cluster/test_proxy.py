"""Faults between real clients and a real broker, a frame at a time."""

import contextlib
import time

import pytest
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventlab.cluster import Kafka, LabError
from eventlab.cluster.faults import Frames
from eventlab.cluster.proxy import FaultProxy

from .labs import DEADLINE, eventually, handle, read

# A request for each record, several under way; and a producer that soon gives up on a request.
EAGER = {"linger.ms": 0, "batch.num.messages": 1, "acks": "all", "log_level": 0}
IMPATIENT = {**EAGER, "socket.timeout.ms": 500}


@pytest.fixture
def proxy(kafka):
    with FaultProxy(kafka) as proxy:
        yield proxy


@contextlib.contextmanager
def producing(config, topic):
    """A producer that is connected, so that its next request is a Produce; and what is reported on its records."""
    reports = {}
    producer = Producer(config)
    producer.list_topics(topic, timeout=DEADLINE)

    def produce(*values):
        for value in values:
            producer.produce(topic, value, on_delivery=lambda error, message: reports.update({message.value(): error}))

    yield producer, produce, reports
    producer.flush(DEADLINE)


def values(kafka, topic, count):
    return "".join(read(kafka.config(), topic, count, **{"group.id": kafka.name("fresh")}))


def send(proxy, topic, *words, **overrides):
    with producing(proxy.config(**{**IMPATIENT, **overrides}), topic) as (producer, produce, reports):
        produce(words[0])
        assert producer.flush(DEADLINE) == 0
        produce(*words[1:])
        assert producer.flush(DEADLINE) == 0
    return reports


class TestWithoutAFault:
    def test_clients_hear_of_no_port_but_those_of_the_proxy(self, proxy, kafka):
        told = AdminClient(proxy.config()).list_topics(timeout=DEADLINE).brokers.values()
        assert [f"{broker.host}:{broker.port}" for broker in told] == proxy.bootstrap.split(",")
        assert proxy.bootstrap != kafka.bootstrap

    def test_it_knows_how_long_the_frames_were(self, kafka):
        topic = kafka.topic("long")
        with FaultProxy(kafka) as proxy:
            produced = proxy.watch(Frames("Produce"))
            producer = Producer(proxy.config())
            producer.produce(topic, "x" * 1_000)
            assert producer.flush(DEADLINE) == 0
            assert (produced.struck, 1_000 < produced.longest < 1_300) == (1, True)

    @settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(sent=st.lists(st.binary(max_size=50), min_size=1, max_size=20), pad=st.sampled_from([0, 900_000]))
    def test_what_goes_in_comes_out(self, proxy, kafka, sent, pad):
        topic = kafka.topic("same")
        sent = [value.ljust(pad) for value in sent[: 3 if pad else None]]
        producer = Producer(proxy.config(**{"log_level": 0}))
        for value in sent:
            producer.produce(topic, value)
        assert producer.flush(DEADLINE) == 0
        consumer = Consumer(proxy.config(**{"group.id": topic, "auto.offset.reset": "earliest"}))
        consumer.subscribe([topic])
        try:
            got = []
            while len(got) < len(sent):
                message = consumer.poll(DEADLINE)
                assert message.error() is None
                got.append(message.value() or b"")
        finally:
            consumer.close()
        assert got == sent


class TestDrop:
    def test_a_request_lost_in_the_middle_is_overtaken(self, proxy, kafka):
        topic = kafka.topic("dropped")
        lost = proxy.drop(Frames("Produce", nth=2))
        reports = send(proxy, topic, *"1234")
        assert set(reports.values()) == {None}
        assert (values(kafka, topic, 4), lost.struck) == ("1342", 1)

    def test_what_is_idempotent_is_not(self, proxy, kafka):
        topic = kafka.topic("dropped")
        lost = proxy.drop(Frames("Produce", nth=2))
        send(proxy, topic, *"1234", **{"enable.idempotence": True})
        assert (values(kafka, topic, 4), lost.struck) == ("1234", 1)


class TestCut:
    @pytest.mark.parametrize(("idempotent", "found"), [(False, "12234"), (True, "1234")])
    def test_a_lost_acknowledgement_doubles_the_record_unless_the_broker_knows_it(
        self, proxy, kafka, idempotent, found
    ):
        topic = kafka.topic("cut")
        lost = proxy.cut(Frames("Produce", "response", nth=2))
        with producing(proxy.config(**EAGER, **{"enable.idempotence": idempotent}), topic) as (producer, produce, _):
            for value in "1234":
                produce(value)
                assert producer.flush(DEADLINE) == 0
        assert (values(kafka, topic, len(found)), lost.struck) == (found, 1)

    def test_a_network_that_is_down_and_comes_back(self, proxy, kafka):
        topic = kafka.topic("down")
        down = proxy.cut(Frames("Produce"))
        with producing(proxy.config(**EAGER, **{"retry.backoff.ms": 1}), topic) as (producer, produce, reports):
            produce("1", "2")
            down.wait(times=3)
            assert not reports
            down.release()
            producer.flush(DEADLINE)
            assert reports == {b"1": None, b"2": None}
        assert values(kafka, topic, 2) == "12", "a request that was cut off never reached the broker"

    def test_every_connection_at_once(self, proxy, kafka):
        """What is lost in the middle comes behind what followed it, as soon as the connection ends."""
        topic = kafka.topic("disconnected")
        lost, answered = proxy.drop(Frames("Produce", nth=2)), proxy.watch(Frames("Produce", "response"))
        with producing(proxy.config(**EAGER), topic) as (producer, produce, reports):
            produce(*"1234")
            answered.wait(times=3)
            proxy.disconnect()
            assert producer.flush(DEADLINE) == 0
        assert set(reports.values()) == {None}
        assert (values(kafka, topic, 4), lost.struck) == ("1342", 1)


class TestHold:
    def test_what_the_producer_gave_up_arrives_when_it_is_let_go(self, proxy, kafka):
        """So a timeout says nothing of what is in the topic."""
        topic = kafka.topic("held")
        held = proxy.hold(Frames("Produce", nth=2))
        hasty = {**EAGER, "message.timeout.ms": 300, "socket.timeout.ms": 300}
        with producing(proxy.config(**hasty), topic) as (producer, produce, reports):
            produce("1")
            assert producer.flush(DEADLINE) == 0
            produce("2")
            held.wait()
            assert producer.flush(DEADLINE) == 0
            assert reports[b"2"].code() == KafkaError._MSG_TIMED_OUT
            assert values(kafka, topic, 1) == "1"
            produce("3")
            assert producer.flush(DEADLINE) == 0
        held.release()
        assert values(kafka, topic, 3) == "132"

    def test_the_order_on_a_connection_is_kept(self, proxy, kafka):
        topic = kafka.topic("held")
        held = proxy.hold(Frames("Produce", nth=2))
        with producing(proxy.config(**EAGER), topic) as (producer, produce, reports):
            produce(*"1234")
            held.wait()
            eventually(lambda: producer.poll(0.01) or reports)
            assert list(reports) == [b"1"]
            held.release()
            held.wait(times=1)
        assert (values(kafka, topic, 4), held.struck) == ("1234", 1)

    def test_closing_the_proxy_does_not_wait_for_what_is_held(self, kafka):
        topic = kafka.topic("held")
        with FaultProxy(kafka) as proxy:
            held = proxy.hold(Frames("Produce"))
            producer = Producer(proxy.config(**EAGER))
            producer.produce(topic, "1")
            held.wait()
        held.release()
        producer.purge()


def test_slow_is_slow(proxy, kafka):
    for rule in (
        lambda frames: proxy.delay(frames, seconds=0.3),
        lambda frames: proxy.throttle(frames, bytes_per_second=30_000),
    ):
        topic = kafka.topic("slow")
        slow = rule(Frames("Produce", client=topic))
        with producing(proxy.config(**EAGER, **{"client.id": topic}), topic) as (producer, produce, _):
            began = time.monotonic()
            produce("x" * 10_000)
            producer.flush(DEADLINE)
            assert time.monotonic() - began >= 0.3
        assert slow.struck == 1


def test_only_the_client_that_is_meant_is_struck_and_a_second_proxy_knows_nothing_of_it(proxy, kafka):
    topic = kafka.topic("meant")
    down = proxy.cut(Frames("Produce", client="shop"))
    with FaultProxy(kafka) as other:
        for config in (proxy.config(**{"client.id": "warehouse"}), other.config(**{"client.id": "shop"})):
            with producing({**config, **EAGER}, topic) as (producer, produce, _):
                produce("x")
                assert producer.flush(DEADLINE) == 0
        assert down.struck == 0
    with producing(proxy.config(**EAGER, **{"client.id": "shop"}), topic) as (producer, produce, _):
        produce("x")
        down.wait()
        down.release()


@pytest.mark.parametrize(
    ("frames", "told"),
    [
        ({"api": "produce"}, "there is no request 'produce'; there are: Produce, Fetch, "),
        ({"api": "Produce", "side": "answer"}, "'request' or a 'response', not a 'answer'"),
        ({"api": "Produce", "nth": 0}, "counted from 1"),
    ],
)
def test_frames_that_there_are_not_are_refused(frames, told):
    with pytest.raises(ValueError, match=told):
        Frames(**frames)


def test_a_speed_that_lets_nothing_pass_is_refused(proxy):
    with pytest.raises(ValueError, match="0 bytes per second is no speed"):
        proxy.throttle(Frames("Fetch"), bytes_per_second=0)


def test_a_broker_that_is_killed_and_started_again_is_found_again(own):
    own.up(1)
    kafka = handle(own)
    topic = kafka.topic("restarted")
    with FaultProxy(kafka) as proxy, producing(proxy.config(**EAGER), topic) as (producer, produce, reports):
        produce("1")
        assert producer.flush(DEADLINE) == 0
        kafka.brokers[0].kill()
        produce("2")
        assert producer.flush(0.3) == 1
        kafka.brokers[0].restart()
        assert producer.flush(DEADLINE) == 0
        assert set(reports.values()) == {None}
        assert values(kafka, topic, 2) == "12"
    kafka.close()


def test_a_fault_that_does_not_come_is_an_error_that_says_which(proxy):
    held = proxy.hold(Frames("EndTxn", client="shop", nth=2))
    with pytest.raises(LabError, match=r"strike number 2 of every EndTxn request of shop, and struck 0 times .* 1 "):
        held.wait(seconds=0.01)


def test_brokers_elsewhere_have_no_proxy():
    with pytest.raises(LabError, match="needs the lab's own brokers"):
        FaultProxy(Kafka({"bootstrap.servers": "127.0.0.1:9"}, None))
