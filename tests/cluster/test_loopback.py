"""Nothing of the lab can be reached from another machine, and a laptop has room for it."""

import ipaddress

import psutil

from eventlab.cluster import Kafka, Lab

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
