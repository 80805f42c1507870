"""Views of a store's events: projections with checkpoints, live or inline, and rebuilt beside the live one.

Also called read models. ``docs/decisions/views.md`` says why they work the way they do.
"""

from eventlab.views.background import Running, start
from eventlab.views.errors import HandlerFailed, NotReached, ViewError
from eventlab.views.inline import attach, inline
from eventlab.views.lifecycle import create, drop, live_version, switch
from eventlab.views.parking import Parked, parked, retry_parked
from eventlab.views.progress import Lag, keeping_up, lag, wait_until
from eventlab.views.projector import Projector
from eventlab.views.rebuild import Rebuilt, rebuild
from eventlab.views.rows import Rows
from eventlab.views.view import Handler, View, row_per_event, row_per_stream, with_parts

__all__ = [
    "Handler",
    "HandlerFailed",
    "Lag",
    "NotReached",
    "Parked",
    "Projector",
    "Rebuilt",
    "Rows",
    "Running",
    "View",
    "ViewError",
    "attach",
    "create",
    "drop",
    "inline",
    "keeping_up",
    "lag",
    "live_version",
    "parked",
    "rebuild",
    "retry_parked",
    "row_per_event",
    "row_per_stream",
    "start",
    "switch",
    "wait_until",
    "with_parts",
]
