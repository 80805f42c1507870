"""Widgets and charts, each with alt text and a table."""

from eventlab.show.brokers import brokers
from eventlab.show.charts import bars, figure, line
from eventlab.show.lanes import lanes
from eventlab.show.steps import steps
from eventlab.show.timeline import timeline
from eventlab.show.two_times import two_times

__all__ = ["bars", "brokers", "figure", "lanes", "line", "steps", "timeline", "two_times"]
