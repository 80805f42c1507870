"""What can go wrong between a topic and a view of it."""

from eventlab.events.errors import EventError
from eventlab.store.kafka_records import Record
from eventlab.views.errors import ViewError, described


class RecordFailed(ViewError):
    """A record could not be applied, so the view stands still before it: nothing was passed over."""

    def __init__(self, view: str, record: Record, error: Exception) -> None:
        super().__init__(
            f"the view {view} stopped before {record} (key {shown(record.key)}): {described(error)}; "
            "mend what reads or handles it and go on, nothing was passed over"
        )
        self.record = record


class Fenced(ViewError):
    """Another one has taken over this partition; what this one was about to write was undone."""


class RecordsLost(ViewError):
    """The topic no longer has what the view is to read next."""


class OutOfPlace(EventError):
    """An event that does not follow from those before it in its stream: one is missing, or two claim its place."""


def shown(key: bytes | None) -> str:
    """A key in a message."""
    return "missing" if key is None else repr(key.decode(errors="replace"))
