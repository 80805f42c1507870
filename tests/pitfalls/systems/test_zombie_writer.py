from eventlab.pitfalls.systems import zombie_writer


def test_both_writers_were_told_that_all_went_well(kafka):
    result = zombie_writer.run(kafka)
    assert {attempt.status for attempt in result.history.sent} == {"ok"}
    late = [record for record in result.records if record.version > 1][20:]
    assert [record.producer for record in late] == ["writer 2"] * 10 + ["writer 1"] * 20 + ["writer 2"] * 10
    assert result.wrong == tuple(f"account-{number}" for number in range(11, 21))
    assert result.inversions > 0, "version 2 of the one comes behind version 3 of the other"


def test_the_zombie_of_a_shared_id_is_refused_at_its_first_word(kafka):
    result = zombie_writer.run(kafka, transactional_id="per shard")
    told = [(attempt.fact.producer, attempt.status) for attempt in result.history.sent]
    assert told.count(("writer 1", "fail")) == 20
    assert told.count(("writer 2", "ok")) == 20
    assert len(result.records) == 3 * zombie_writer.ACCOUNTS
