"""Both protocols: P16 in the gallery is the classic one."""

import pytest

from eventlab.pitfalls.consumers import zombie
from eventlab.pitfalls.payments import payments

FACTS = payments(zombie.PAYMENTS, 7)


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_the_zombie_writes_what_it_has_in_hand_and_goes_on_from_there(kafka, protocol):
    result = zombie.run(kafka, protocol=protocol)
    assert [record.fact for record in result.records] == FACTS + FACTS[10:]


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_the_fence_keeps_it_out(kafka, protocol):
    result = zombie.run(kafka, fence=True, protocol=protocol)
    assert [record.fact for record in result.records] == FACTS
