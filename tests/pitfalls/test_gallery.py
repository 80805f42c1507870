"""Every pitfall shows its anomaly in the broken arm, and never in the cured one: once here, ten times by night."""

import inspect
import time

import pytest

from eventlab.pitfalls.experiment import Pitfall
from eventlab.pitfalls.gallery import gallery

GALLERY = list(gallery().values())
WORK_SECONDS = 0.05  # long enough to lose the processor to others
SEED = 0  # not the pitfalls' own, which the other tests and the lessons take; `make gallery` tries ten


@pytest.fixture(params=GALLERY, ids=lambda pitfall: pitfall.id)
def pitfall(request) -> Pitfall:
    return request.param


@pytest.fixture
def brokers(pitfall, request):
    return request.getfixturevalue("kafka" if pitfall.brokers == 1 else "kafka3")


def test_the_gallery_holds_these():
    assert list(gallery()) == [
        "P1",
        "P2",
        "P3",
        "P4",
        "P5",
        "P6",
        "P7",
        "P8",
        "P9",
        "P10",
        "P11",
        "P12",
        "P13",
        "P14",
        "P15",
        "P16",
        "P17",
        "P18",
        "P19",
        "P20",
        "P21",
        "P22",
        "P23",
        "P24",
        "P25",
        "P26",
        "P27",
        "P28",
        "P29",
        "P30",
        "P31",
        "P32",
        "P33",
        "P34",
        "P35",
        "P36",
    ]


def test_the_arms_differ_in_one_argument_and_the_broken_one_is_the_default(pitfall):
    [argument] = pitfall.broken
    assert pitfall.cured.keys() == {argument}
    assert pitfall.broken[argument] != pitfall.cured[argument]
    parameters = inspect.signature(pitfall.run).parameters
    assert parameters[argument].default == pitfall.broken[argument]
    assert parameters["seed"].default == pitfall.seed


def test_it_says_what_it_is_and_where_others_met_it(pitfall):
    assert pitfall.hypothesis.endswith(".")
    assert pitfall.sources
    assert all(source.startswith("https://") for source in pitfall.sources)
    assert pitfall.budget <= 30


def test_it_shows_the_anomaly_and_the_cure_takes_it_away(pitfall, brokers):
    before, began = slowness(), time.monotonic()
    broken = pitfall.run(brokers, **pitfall.broken, seed=SEED)
    cured = pitfall.run(brokers, **pitfall.cured, seed=SEED)
    took = time.monotonic() - began
    assert took < 2 * pitfall.budget * max(before, slowness())
    assert broken.count > 0
    assert cured.count == 0
    assert broken.unit == cured.unit == pitfall.unit
    assert story(broken) == story(cured), "the same workload in both arms"


def slowness():
    """How many times longer than on a quiet machine a computation takes now: what else this one has to do."""
    began, worked = time.monotonic(), time.thread_time()
    while time.thread_time() - worked < WORK_SECONDS:
        pass
    return (time.monotonic() - began) / WORK_SECONDS


def story(result):
    """What was to be written; nobody notes that where nothing gets lost or doubled, so there it is what was read.

    A verdict that knows what both arms had to do says so itself.
    """
    if hasattr(result, "workload"):
        return result.workload
    written = {attempt.fact for attempt in result.history.sent} or result.records
    return sorted((fact.id, fact.label, fact.producer) for fact in written)
