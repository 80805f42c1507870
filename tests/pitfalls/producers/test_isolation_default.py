import pytest

from eventlab.pitfalls.producers import isolation_default


@pytest.mark.parametrize(
    ("client", "isolation", "taken_back"),
    [
        ("java", "default", 4),
        ("java", "read_uncommitted", 4),
        ("java", "read_committed", 0),
        ("librdkafka", "default", 0),
        ("librdkafka", "read_committed", 0),
        ("librdkafka", "read_uncommitted", 4),
    ],
)
def test_what_each_client_reads(kafka, client, isolation, taken_back):
    result = isolation_default.run(kafka, client=client, isolation=isolation)
    assert result.count == taken_back
    assert len(result.records) == 2 * (isolation_default.TRANSFERS - 4 + taken_back)
    assert {attempt.fact.key for attempt in result.history.sent if attempt.status == "fail"} >= set(result.wrong)
