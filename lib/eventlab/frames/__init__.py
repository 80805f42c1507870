"""Events as pandas data frames. Those of any topic, which need a cluster: :mod:`eventlab.frames.topic`."""

from eventlab.frames.events import frame

__all__ = ["frame"]
