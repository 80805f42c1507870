"""What the widgets share: their look, and what is left of them where no kernel runs."""

from abc import abstractmethod
from typing import Any

import anywidget

from eventlab.show import markup


class PictureWidget(anywidget.AnyWidget):
    """A widget that also shows as a picture with tables: in a report, on GitHub, in a notebook opened later."""

    _css = markup.STYLE

    @property
    @abstractmethod
    def alt(self) -> str:
        """What the picture shows, in words."""

    @abstractmethod
    def _page(self) -> str:
        """The picture and its tables as HTML."""

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_()  # type: ignore[misc]  # None for a widget without a view
        return {**data, "text/plain": self.alt, "text/html": self._page()}, metadata
