"""A word count that is really killed: what each way to keep counts loses, counts twice, or keeps."""

import pandas as pd
import pytest

from eventlab.course import searches, word_count
from eventlab.course.word_count import Outcome, WordCount, killed
from eventlab.services.word_count import BATCH, WAYS

WORDS_OF_A_BATCH = 2 * BATCH


@pytest.fixture(scope="module")
def topic(kafka):
    return searches.day(kafka)


@pytest.mark.parametrize(
    ("way", "lost", "twice"),
    [
        ("in memory", 2, 0),  # what was committed is forgotten; the batch in which it died comes again
        ("auto commit", 0, 3),  # the timer had not struck: all comes again
        ("offsets first", 1, 0),
        ("counts first", 0, 1),
        ("together", 0, 0),
    ],
)
def test_a_kill_between_the_two_writes_costs(kafka, topic, way, lost, twice):
    outcome = killed(kafka, topic, way)
    assert (outcome.lost, outcome.twice) == (lost * WORDS_OF_A_BATCH, twice * WORDS_OF_A_BATCH)


def test_every_way_has_its_price_told_here():
    assert list(WAYS) == ["in memory", "auto commit", "offsets first", "counts first", "together"]


def test_counts_that_are_kept_together_survive_kill_after_kill(kafka, topic):
    counter = WordCount(kafka, topic, "together")
    for batch in (1, 2, 1, 3):
        counter.until(batch)
        counter.kill()
        counter.restart()
    outcome = counter.finish()
    assert (outcome.lost, outcome.twice) == (0, 0)


def test_without_a_kill_every_way_counts_right(kafka, topic):
    for way in WAYS:
        assert repr(WordCount(kafka, topic, way).finish()) == "0 of 1,200 words lost, 0 counted twice"


def test_the_lag_says_what_its_group_has_committed(kafka, topic):
    counter = WordCount(kafka, topic, "in memory")
    counter.until(3)
    counter.kill()
    assert counter.lag()["lag"].sum() == searches.SEARCHES - 2 * BATCH
    kept_elsewhere = WordCount(kafka, topic, "together")
    kept_elsewhere.finish()
    assert kept_elsewhere.lag()["lag"].sum() == searches.SEARCHES


def test_an_outcome_says_itself_word_by_word():
    outcome = Outcome({"red": 3, "hat": 1}, {"red": 2, "hat": 4, "sock": 1})
    assert repr(outcome) == "4 of 7 words lost, 1 counted twice"
    expected = {
        "word": ["hat", "red", "sock"],
        "in the topic": [4, 2, 1],
        "counted": [1, 3, 0],
        "difference": [-3, 1, -1],
    }
    pd.testing.assert_frame_equal(outcome.table, pd.DataFrame(expected), check_dtype=False)


def test_the_chart_tells_every_way_in_words_and_as_a_table():
    figure = word_count.chart({"in memory": Outcome({}, {"red": 2}), "together": Outcome({"red": 2}, {"red": 2})})
    assert "in memory: 2 of 2 words lost, 0 counted twice; together: 0 of 2 words lost" in figure.alt
    assert figure.table["too many or too few"].tolist() == [-2, 0]


def test_a_way_that_is_not_there_is_named(kafka, topic):
    with pytest.raises(ValueError, match="there is no way 'on paper' to keep counts; there are: in memory, auto"):
        WordCount(kafka, topic, "on paper")
