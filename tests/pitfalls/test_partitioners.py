import pytest
from confluent_kafka import consistent, murmur2

from eventlab.cluster import LabError
from eventlab.pitfalls import partitioners
from eventlab.pitfalls.record import Fact

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


def test_what_the_broker_refuses_from_java_is_an_error(kafka):
    topic = kafka.topic("small", max_message_bytes=20)
    with pytest.raises(LabError, match="RecordTooLarge"):
        partitioners._send_from_java(kafka, topic, [Fact("customer-1", 1, "Registered", "registered", "java")])
