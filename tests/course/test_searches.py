"""The searches of lesson 12, as a reader gets them."""

import pytest

from eventlab.cluster import LabError
from eventlab.course import searches


@pytest.fixture(scope="module")
def topic(kafka):
    return searches.day(kafka)


def test_all_are_read_in_the_order_of_each_partition(kafka, topic):
    frame = searches.read(kafka, topic)
    assert len(frame) == searches.SEARCHES
    assert frame["partition"].is_monotonic_increasing
    for _, lane in frame.groupby("partition"):
        assert lane["offset"].tolist() == list(range(len(lane)))


def test_a_customer_stays_on_one_partition_and_her_searches_are_counted_from_1(kafka, topic):
    for _, story in searches.read(kafka, topic).groupby("key"):
        assert story["partition"].nunique() == 1
        assert story["version"].tolist() == list(range(1, len(story) + 1))


def test_every_search_has_two_words(kafka, topic):
    assert set(searches.read(kafka, topic)["label"].str.split().str.len()) == {2}


def test_the_same_seed_is_the_same_day(kafka, topic):
    columns = ["partition", "offset", "key", "label"]
    again = searches.read(kafka, searches.day(kafka))[columns]
    assert again.equals(searches.read(kafka, topic)[columns])
    assert not again.equals(searches.read(kafka, searches.day(kafka, seed=1))[columns])


def test_a_refused_search_is_an_error(kafka, monkeypatch):
    create = kafka.topic
    monkeypatch.setattr(kafka, "topic", lambda name, partitions: create(name, partitions, max_message_bytes=10))
    with pytest.raises(LabError, match=r"did not acknowledge \d+ searches"):
        searches.day(kafka)
