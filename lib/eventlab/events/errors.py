"""What can be wrong with an event that is to be written or read: each error says what and where."""


class EventError(Exception):
    """The base of the errors below. A store adds the place: stream, version and position."""

    def at(self, place: str) -> "EventError":
        """The same error with the place in front of its message."""
        return type(self)(f"{place}: {self}")


class UnknownEventType(EventError):
    """A type name, or a class, that no registry entry stands for."""


class UnknownSchemaVersion(EventError):
    """A known type in a schema version that this program cannot read."""


class Unreadable(EventError):
    """Stored data that is not JSON, or not the JSON of its type: a missing field, a wrong type, a broken rule."""


class Unwritable(EventError):
    """An event that could not be read back, and so must not be stored."""
