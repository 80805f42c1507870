"""The newer protocol, share groups, and what is no fence: P16 in the gallery is the classic protocol."""

import pytest

from eventlab.pitfalls.consumers import zombie
from eventlab.pitfalls.payments import payments

FACTS = payments(zombie.PAYMENTS, 7)
BATCH = FACTS[10:20]  # the second
BOOKED = BATCH[: zombie.WAITS_AT - 10]  # of them, before the group took the partition away


def booked(result):
    return [record.fact for record in result.records]


def test_the_zombie_writes_what_it_has_in_hand_and_goes_on_from_there(kafka):
    assert booked(zombie.run(kafka, protocol="consumer")) == FACTS + FACTS[10:]


def test_the_fence_keeps_it_out(kafka):
    assert booked(zombie.run(kafka, fence=True, protocol="consumer")) == FACTS


def test_in_a_share_group_it_writes_when_its_locks_are_over_and_the_broker_does_not_mind(kafka):
    result = zombie.run(kafka, protocol="share")
    assert booked(result)[-10:] == BATCH
    assert set(result.wrong) == {fact.key for fact in BATCH}
    assert result.refused == ""


@pytest.mark.parametrize("cure", ["ids", "renew"])
def test_there_it_helps_to_know_the_ids_or_to_renew_the_locks(kafka, cure):
    result = zombie.shared(kafka, cure=cure)
    assert result.count == 0
    assert set(booked(result)) == set(FACTS)


@pytest.mark.parametrize(
    ("thrown_out", "drain", "twice"),
    [(False, False, BOOKED), (False, True, []), (True, True, BATCH)],
)
def test_draining_helps_who_is_called_in_time_and_harms_who_is_not(kafka, thrown_out, drain, twice):
    result = zombie.revoked(kafka, drain=drain, thrown_out=thrown_out)
    assert result.wrong == tuple(fact.key for fact in twice)
    assert set(booked(result)) == set(FACTS)
