from eventlab.pitfalls.checkers import version_gaps
from eventlab.pitfalls.consumers import imported_history


def test_only_what_was_booked_today_is_left_of_the_import(kafka):
    result = imported_history.run(kafka)
    assert [record.producer for record in result.records] == ["bank"] * len(imported_history.FILES)
    assert len(version_gaps(result.history)) == len(imported_history.FILES), "each begins with today's coffee"
    assert len(result.history.sent) == len(imported_history.statements()) + len(imported_history.FILES)


def test_the_broker_s_clock_keeps_them_and_what_is_booked_still_says_its_day(kafka):
    result = imported_history.run(kafka, timestamp="LogAppendTime")
    imported = [record for record in result.records if record.producer == "import"]
    assert [record.fact for record in imported] == [*map(imported_history.fact, imported_history.statements())]
    assert all(record.label.startswith(("2026-02-", "2026-03-")) for record in imported)
    assert min(record.timestamp for record in imported) > max(b.valid_time for b in imported_history.statements())


def test_so_does_a_topic_that_keeps_everything(kafka):
    result = imported_history.run(kafka, retention_ms=-1)
    assert result.count == 0
    assert [record.timestamp for record in result.records if record.producer == "import"] == [
        booking.valid_time for booking in imported_history.statements()
    ]
