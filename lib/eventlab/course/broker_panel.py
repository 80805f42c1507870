"""The panel of lesson 20: three brokers to be killed, paused, resumed and restarted while a producer writes."""

import html
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ipywidgets as widgets

from eventlab import show
from eventlab.cluster import Kafka, LabError
from eventlab.cluster.watch import Timeline
from eventlab.course.card import with_fallback
from eventlab.course.live_brokers import LiveBrokers
from eventlab.pitfalls.failover import Failover
from eventlab.show import markup

_REFRESH_SECONDS = 0.5
_WINDOW_SECONDS = 30.0  # what the picture shows while it is live
# What can be done to a broker, and in which states of its process.
_ACTIONS = {"kill": ("running", "paused"), "pause": ("running",), "resume": ("paused",), "restart": ("running", "dead")}
_PLAIN = "Buttons that kill, pause, resume and restart three brokers while a producer writes. They need a kernel."


class BrokerPanel:
    """Does nothing until *Start writing* is pressed. ``result`` is what came of the last round, if any."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._live: LiveBrokers | None = None
        self.result: Failover | None = None
        self._worker = ThreadPoolExecutor(1)  # a restart takes seconds, and the kernel is not to wait for it
        self.acks = widgets.Dropdown(options=["1", "all"], description="acks =", layout=widgets.Layout(width="12em"))
        self.start = widgets.Button(description="Start writing", button_style="primary")
        self.stop = widgets.Button(description="Stop and count", disabled=True)
        self.status = widgets.HTML("Choose <code>acks</code>, and start.")
        self.picture = widgets.HTML()
        self.brokers = {broker: {action: _button(action, broker) for action in _ACTIONS} for broker in (1, 2, 3)}
        self.start.on_click(lambda _: self._soon(self._begin))
        self.stop.on_click(lambda _: self._soon(self._end))
        for broker, buttons in self.brokers.items():
            for action, button in buttons.items():
                button.on_click(lambda _, what=action, whom=broker: self._soon(lambda: self._do(what, whom)))
        rows = [widgets.HBox(list(buttons.values())) for buttons in self.brokers.values()]
        top = widgets.HBox([self.acks, self.start, self.stop])
        self.widget = widgets.VBox([top, *rows, self.status, self.picture])

    def _soon(self, work: Callable[[], None]) -> None:
        """Have it done behind the kernel's back, one after the other; what goes wrong is said in the panel."""

        def done() -> None:
            try:
                work()
            except LabError as error:
                self.status.value = f"<b>{html.escape(str(error))}</b>"

        self._worker.submit(done)

    def _begin(self) -> None:
        if self._live:
            return
        self.start.disabled = self.acks.disabled = True
        self.status.value = "Starting …"
        try:
            self._live = LiveBrokers(self._kafka, self.acks.value)
        except LabError:
            self.start.disabled = self.acks.disabled = False
            raise
        self.stop.disabled = False
        self._over = threading.Event()
        self._follower = threading.Thread(target=self._follow, args=(self._live, self._over), daemon=True)
        self._follower.start()

    def _do(self, action: str, broker: int) -> None:
        if self._live:
            self._live.do(action, broker)

    def _end(self) -> None:
        if not self._live:
            return
        live, self._live, self.stop.disabled = self._live, None, True
        self._over.set()
        self._follower.join()
        self._allow({})
        self.status.value = "All brokers are made to run again, and a new reader reads everything …"
        try:
            self.result = live.stop()
        finally:
            self.start.disabled = self.acks.disabled = False
        acknowledged, sent = live.acknowledged
        self.status.value = f"{sent} payments sent, {acknowledged} acknowledged: {self.result._repr_html_()}."
        self.picture.value = self.result.picture()._repr_html_()

    def _follow(self, live: LiveBrokers, over: threading.Event) -> None:
        while not over.wait(_REFRESH_SECONDS):
            timeline = live.timeline.last(_WINDOW_SECONDS)
            acknowledged, sent = live.acknowledged
            self._allow(timeline.samples[-1].brokers)
            self.status.value = f"{sent} payments sent, {acknowledged} acknowledged."
            self.picture.value = _drawn(timeline)

    def _allow(self, states: Mapping[int, str]) -> None:
        for broker, buttons in self.brokers.items():
            for action, button in buttons.items():
                button.disabled = states.get(broker) not in _ACTIONS[action]

    def __repr__(self) -> str:
        return _PLAIN

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return with_fallback(self.widget, self.picture.value or f"<p>{_PLAIN}</p>", _PLAIN)


def _button(action: str, broker: int) -> widgets.Button:
    return widgets.Button(description=f"{action.capitalize()} broker {broker}", disabled=True)


def _drawn(timeline: Timeline) -> str:
    """The picture and, always open, the table of this moment: what is folded would fold at each look."""
    figure, now = show.brokers(timeline), timeline.samples[-1]
    rows = [(f"broker {broker}", process, now.role(broker)) for broker, process in now.brokers.items()]
    page = markup.figure(figure.svg, figure.alt)
    return page + f'<div class="eventlab">{markup.table(("", "process", "counts as"), rows, "Now")}</div>'
