from datetime import timedelta

import pytest

from eventlab.pitfalls.producers import across_partitions


@pytest.fixture(scope="module")
def broken(kafka):
    return across_partitions.run(kafka)


@pytest.fixture(scope="module")
def cured(kafka):
    return across_partitions.run(kafka, key="order")


def test_every_order_is_placed_and_reserved(broken):
    assert broken.of == across_partitions.ORDERS
    assert len(broken.records) == 2 * across_partitions.ORDERS


def test_only_orders_whose_two_records_lie_apart_are_out_of_order(broken):
    homes = {}
    for record in broken.records:
        homes.setdefault(record.key, set()).add(record.partition)
    assert all(len(homes[key]) == 2 for key in broken.wrong)
    assert broken.count < sum(len(home) == 2 for home in homes.values()), "the other half came in order, by chance"


def test_the_clocks_differ_so_timestamps_order_neither_arm(broken, cured):
    assert broken.sorted_by("timestamp").count == cured.sorted_by("timestamp").count > 0
    placed = {record.key: record.timestamp for record in cured.records if record.producer == "shop"}
    waits = [record.timestamp - placed[record.key] for record in cured.records if record.producer == "warehouse"]
    assert min(waits) < timedelta(0) < max(waits)


def test_versions_order_both(broken, cured):
    assert broken.sorted_by("version").count == cured.sorted_by("version").count == 0
