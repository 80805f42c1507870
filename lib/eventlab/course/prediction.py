"""A prediction: the learner commits to a number before seeing it, because being wrong is the hook.

Predicting a demonstration before it runs is what makes it teach
(Crouch et al. 2004, American Journal of Physics 72, 835).
"""

import html
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from eventlab.course.card import inline, with_fallback


class Prediction:
    """A question with a slider from ``low`` to ``high`` and a button that keeps the guess.

    ``keep(guess)`` is called on each press and gives a note to show, empty when all is well. Whole ``low`` and
    ``high`` ask for a whole number.
    """

    def __init__(
        self, question: str, low: float, high: float, said: float | None, keep: Callable[[float], str]
    ) -> None:
        self.question, self.low, self.high = question, low, high
        whole = isinstance(low, int) and isinstance(high, int)
        middle = (low + high) // 2 if whole else (low + high) / 2
        slider = (widgets.IntSlider if whole else widgets.FloatSlider)(
            value=middle if said is None else min(max(said, low), high),
            min=low,
            max=high,
            description="Your guess",
            continuous_update=False,
            layout=widgets.Layout(width="26em"),
        )
        button = widgets.Button(description="Keep my guess", button_style="primary")
        status = widgets.HTML("" if said is None else f"You said {said:,} last time.")

        def kept(_: object) -> None:
            note = keep(slider.value)
            status.value = f"You say <b>{slider.value:,}</b>. Run on and see. {html.escape(note)}"

        button.on_click(kept)
        self.slider, self.button, self.status = slider, button, status
        self.widget = widgets.VBox([widgets.HTML(f"<p>{inline(question)}</p>"), widgets.HBox([slider, button]), status])

    def __repr__(self) -> str:
        return f"{self.question} (a number from {self.low:,} to {self.high:,})"

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return with_fallback(self.widget, f"<p>{inline(repr(self))}</p>", repr(self))
