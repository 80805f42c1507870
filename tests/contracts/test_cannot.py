"""The table of what Kafka cannot do names real behaviours of this suite, and nothing else."""

import inspect
import pkgutil
from collections import Counter
from importlib import import_module

from eventlab.store import KafkaEventLog


def behaviours() -> Counter[str]:
    """The names of all tests here that take a store."""
    package = __package__ or ""
    modules = [
        import_module(f"{package}.{found.name}") for found in pkgutil.iter_modules(import_module(package).__path__)
    ]
    return Counter(
        name
        for module in modules
        for name, test in inspect.getmembers(module, inspect.isfunction)
        if name.startswith("test_") and {"store", "backend"} & set(inspect.signature(test).parameters)
    )


def test_behaviours_are_told_apart_by_their_names() -> None:
    assert [name for name, count in behaviours().items() if count > 1] == []
    assert len(behaviours()) > 30


def test_what_kafka_cannot_do_are_behaviours_of_the_contract_with_a_reason() -> None:
    assert set(KafkaEventLog.CANNOT) < set(behaviours())
    assert all(KafkaEventLog.CANNOT.values())
