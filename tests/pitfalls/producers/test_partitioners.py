import pytest
from confluent_kafka import consistent, murmur2

from eventlab.pitfalls.producers import partitioners

# Keys that CRC32 and murmur2 put on different partitions: all but one of n, when the two have nothing to do with each
# other. 400 keys stay within 8 points of that (more than three standard deviations, for each of these n).
_TOLERANCE = 0.08


@pytest.mark.parametrize("partitions", [2, 3, 6, 12])
def test_the_two_clients_agree_on_one_key_in_n(kafka, partitions):
    result = partitioners.run(kafka, partitions=partitions)
    assert abs(result.count / result.of - (1 - 1 / partitions)) < _TOLERANCE


def test_each_client_computes_what_its_documentation_says(kafka):
    result = partitioners.run(kafka)
    hashes = {"java": murmur2, "python": consistent}
    assert len(result.records) == 2 * partitioners.CUSTOMERS
    for record in result.records:
        assert record.partition == hashes[record.producer](record.key.encode(), 6)
