import pytest
from confluent_kafka import murmur2

from eventlab.cluster import LabError
from eventlab.pitfalls.producers import more_partitions


@pytest.mark.parametrize("partitions", [8, 12])
def test_the_carts_that_hash_elsewhere_are_split_and_no_others(kafka, partitions):
    result = more_partitions.run(kafka, partitions=partitions)
    carts = {record.key for record in result.records}
    assert set(result.wrong) == {
        cart for cart in carts if murmur2(cart.encode(), more_partitions.OLD) != murmur2(cart.encode(), partitions)
    }
    for record in result.records:
        assert record.partition in {
            murmur2(record.key.encode(), more_partitions.OLD),
            murmur2(record.key.encode(), partitions),
        }


def test_split_carts_are_read_out_of_order_and_a_reader_that_goes_by_version_is_safe(kafka):
    result = more_partitions.run(kafka)
    late = result.table()[lambda table: table["inverted"]]
    assert set(late["key"]) == set(result.wrong), "twelve is twice six, so whoever moves, moves to a new partition"
    assert result.sorted_by("version").inversions == 0


def test_the_new_topic_has_all_that_the_old_one_had_with_its_times(kafka):
    result = more_partitions.run(kafka, how="new topic")
    assert len({record.partition for record in result.records}) == 12
    in_order = result.sorted_by("version").records
    assert {record.version for record in in_order} == set(range(1, 6))
    times = {}
    for record in in_order:
        assert times.setdefault(record.key, record.timestamp) <= record.timestamp
        times[record.key] = record.timestamp


def test_a_topic_cannot_shrink_and_the_error_says_so(kafka):
    with pytest.raises(LabError, match="would not be an increase"):
        more_partitions.run(kafka, partitions=4)
