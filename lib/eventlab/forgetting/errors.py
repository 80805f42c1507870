"""What can be wrong with a personal field or its key. That the key store is down is Unavailable, as for any store."""

from eventlab.events.errors import EventError


class NotDeclared(EventError):
    """An event whose class nobody has said to be personal or not: it is not stored."""


class Unsealable(EventError):
    """A personal field that cannot be sealed: nobody says whose it is, or it holds what is no text of a person."""


class SubjectIsForgotten(EventError):
    """New personal data of somebody who has been forgotten: it is not stored, and there is no new key."""


class MissingKey(EventError):
    """The key store has never heard of the key: it is another one, or an old copy."""


class WrongKey(EventError):
    """The data key cannot be unwrapped: its key-encryption key is not here, or is another one."""


class Tampered(EventError):
    """A sealed field is not what was sealed for this subject and this event."""
