"""Three brokers beside the one: none can be reached from another machine, and a laptop has room for all of them.

The tests that only need them to be there share this file, since each file that needs them starts them.
"""

import ipaddress

import psutil
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from eventlab import cluster
from eventlab.cluster import Kafka, Lab
from eventlab.cluster.faults import Frames
from eventlab.cluster.proxy import FaultProxy

from .labs import DEADLINE, read

MOST_MEMORY = 1.6 * 2**30


def processes_of(*labs: Lab) -> list[psutil.Process]:
    """Brokers, PostgreSQL and its children, guards."""
    states = [lab.state() for lab in labs]
    roots = [process for state in states if state for process in (*state.servers, state.guard) if process]
    parents = [psutil.Process(root.pid) for root in roots]
    return [found for parent in parents for found in (parent, *parent.children(recursive=True))]


def test_every_port_is_on_the_loopback_address_and_none_is_extra(lab: Lab, kafka: Kafka, kafka3: Kafka) -> None:
    beside = Lab(lab.home / "extra" / "3")
    listening = {
        connection.laddr
        for process in processes_of(lab, beside)
        for connection in process.net_connections("inet")
        if connection.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)
    }
    addresses = {ipaddress.ip_address(address.ip) for address in listening}
    assert all((getattr(ip, "ipv4_mapped", None) or ip).is_loopback for ip in addresses), listening
    known = set()
    for state in (lab.state(), beside.state()):
        assert state
        known |= {port for broker in state.brokers.values() for port in (broker.port, broker.controller)}
        known |= {state.postgres.port} if state.postgres else set()
    assert {address.port for address in listening} == known


def test_three_brokers_and_postgresql_fit_a_small_laptop(lab: Lab, kafka3: Kafka) -> None:
    beside = Lab(lab.home / "extra" / "3")
    state, one = beside.state(), lab.state()
    assert state
    assert one
    assert one.postgres
    database = psutil.Process(one.postgres.process.pid)
    servers = [psutil.Process(server.pid) for server in state.servers] + [database, *database.children(recursive=True)]
    assert sum(server.memory_info().rss for server in servers) < MOST_MEMORY


def test_a_lesson_that_needs_three_gets_them_beside_the_one(kafka: Kafka, kafka3: Kafka) -> None:
    again = cluster.connect(brokers=3)
    assert again.bootstrap == kafka3.bootstrap != kafka.bootstrap
    assert ([len(k.brokers) for k in (kafka, kafka3)]) == [1, 3]


def test_they_keep_three_copies_of_what_they_need_to_know(kafka3: Kafka) -> None:
    topic = kafka3.topic("orders", partitions=3)
    producer = Producer(kafka3.config(**{"transactional.id": kafka3.name("writer")}))
    producer.init_transactions()
    producer.begin_transaction()
    producer.produce(topic, b"value")
    producer.commit_transaction()
    assert read(kafka3.config(), topic, 1) == ["value"]
    metadata = kafka3.admin.list_topics(timeout=DEADLINE)
    assert set(metadata.brokers) == {1, 2, 3}
    copies = {
        name: {len(partition.replicas) for partition in metadata.topics[name].partitions.values()}
        for name in (topic, "__consumer_offsets", "__transaction_state")
    }
    assert copies == {topic: {3}, "__consumer_offsets": {3}, "__transaction_state": {3}}


def test_behind_a_proxy_each_has_a_port_and_all_clients_stay_there(kafka3: Kafka) -> None:
    topic = kafka3.topic("orders", partitions=6)
    with FaultProxy(kafka3) as proxy:
        admin = AdminClient(proxy.config())
        told = {f"{each.host}:{each.port}" for each in admin.list_topics(timeout=DEADLINE).brokers.values()}
        assert told == set(proxy.bootstrap.split(","))
        described = admin.describe_cluster().result(DEADLINE)
        assert {f"{node.host}:{node.port}" for node in described.nodes} == told
        produced, fetched = proxy.watch(Frames("Produce")), proxy.watch(Frames("Fetch"))
        grouped = proxy.watch(Frames("JoinGroup"))
        producer = Producer(proxy.config())
        for partition in range(6):
            producer.produce(topic, "x", partition=partition)
        assert producer.flush(DEADLINE) == 0
        assert read(proxy.config(), topic, 6) == ["x"] * 6
        assert produced.struck >= 3
        assert fetched.struck >= 3
        assert grouped.struck >= 1
