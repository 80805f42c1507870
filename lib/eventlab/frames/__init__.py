"""Events as pandas data frames."""

from eventlab.frames.events import frame

__all__ = ["frame"]
