from datetime import UTC, datetime, timedelta

import pytest

from eventlab.cluster import LabError
from eventlab.pitfalls import retention_check
from eventlab.pitfalls.left import left
from eventlab.pitfalls.log import retention

WEEK = timedelta(days=7)


def test_what_is_older_than_a_week_is_gone_by_whole_segments(kafka):
    records = retention.run(kafka).records
    a_week_ago = datetime.now(UTC) - WEEK
    young = [booked.fact for booked in retention.month() if booked.at > a_week_ago]
    assert [record.fact for record in records][-len(young) :] == young
    assert records[0].timestamp > a_week_ago - timedelta(days=1), "at most a segment, a day, is older"


def test_an_account_without_events_for_a_week_is_gone_and_no_gap_tells(kafka):
    result = retention.run(kafka)
    gone = set(result.wrong) - {record.key for record in result.records}
    assert gone
    shown = left(result.history)
    assert set(shown.table.loc[shown.table["read"] == 0, "story"]) == gone
    assert f"not read at all: {len(gone)}" in shown.alt


def test_archive_and_topic_as_one_have_every_story_from_version_1(kafka, tmp_path):
    result = retention.archived(kafka, tmp_path)
    assert [record.fact for record in result.records] == [booked.fact for booked in retention.month()]


def test_snapshot_and_topic_as_one_know_every_balance_and_the_topic_alone_does_not(kafka, tmp_path):
    result = retention.snapshotted(kafka, tmp_path)
    assert result.wrong == []
    table = result.table().set_index("account")
    assert (table["by snapshot and topic"] == table["balance"]).all()
    misled = table[table["by the topic"] != table["balance"]]
    assert len(misled) > len(table) / 2
    assert (misled["left"] < misled["events"]).all()
    assert table.loc[table["left"] == 0, "by the topic"].tolist() == [""]


def test_a_cluster_that_looks_every_five_minutes_is_not_waited_for(kafka, monkeypatch):
    monkeypatch.setattr(retention_check, "_LONGEST_SECONDS", 0)
    with pytest.raises(LabError, match=r"looks every 0.5 s .* unset EVENTLAB_KAFKA"):
        retention_check.await_retention(kafka)
