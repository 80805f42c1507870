"""The panel of lesson 20, pressed as a learner presses it, on three real brokers."""

import time

import pytest

from eventlab.course.broker_panel import BrokerPanel

PATIENCE_SECONDS = 90


def eventually(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the panel did not show it in time"
        time.sleep(0.05)


@pytest.fixture
def panel(kafka3):
    panel = BrokerPanel(kafka3)
    yield panel
    if not panel.stop.disabled:
        panel.stop.click()
        eventually(lambda: not panel.start.disabled)


def state(panel, broker):
    """The row of the table: its process, and what it counts as."""
    row = panel.picture.value.partition(f"<td>broker {broker}</td><td>")[2].partition("</tr>")[0]
    return tuple(row.removesuffix("</td>").split("</td><td>"))


def leader(panel):
    return next((broker for broker in panel.brokers if state(panel, broker) == ("running", "leader")), None)


def test_shown_and_not_touched_it_does_nothing(kafka3):
    before = set(kafka3.admin.list_topics(timeout=10).topics)
    bundle = BrokerPanel(kafka3)._repr_mimebundle_()
    assert "They need a kernel" in bundle["text/plain"]
    assert "They need a kernel" in bundle["text/html"]
    assert set(kafka3.admin.list_topics(timeout=10).topics) == before


def test_a_leader_is_killed_another_leads_and_with_acks_all_nothing_is_lost(panel, kafka3):
    panel.acks.value = "all"
    assert all(button.disabled for buttons in panel.brokers.values() for button in buttons.values())
    panel.start.click()
    eventually(lambda: leader(panel))
    first = leader(panel)
    buttons = panel.brokers[first]
    assert [name for name, button in buttons.items() if not button.disabled] == ["kill", "pause", "restart"]
    buttons["pause"].click()
    eventually(lambda: state(panel, first)[0] == "paused")
    assert [name for name, button in buttons.items() if not button.disabled] == ["kill", "resume"]
    buttons["kill"].click()
    eventually(lambda: leader(panel) not in (None, first))
    assert [name for name, button in buttons.items() if not button.disabled] == ["restart"]
    buttons["kill"].click()  # too late: it is dead
    eventually(lambda: "is dead already" in panel.status.value or state(panel, first)[0] == "dead")
    panel.stop.click()
    eventually(lambda: panel.result)
    eventually(lambda: not panel.start.disabled)
    assert panel.result.count == 0
    assert panel.result.of > 10
    assert f"<b>0 of {panel.result.of}</b> acknowledged payments are lost" in panel.status.value
    assert {broker.state for broker in kafka3.brokers} == {"running"}
    assert "brokers as lanes" in panel._repr_mimebundle_()["text/html"]
