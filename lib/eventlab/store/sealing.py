"""Where personal data is made unreadable on its way into a store, and readable on its way out."""

from typing import Protocol
from uuid import UUID

from eventlab.store.contract import Append


class Sealing(Protocol):
    """What a store asks for each append and each event, if it was given one; :mod:`eventlab.forgetting` has it."""

    def seal(self, append: Append) -> Append:
        """``append`` with its personal fields sealed. Raises EventError or Unavailable, and then nothing is stored."""
        ...

    def open(self, event: object, id: UUID | str) -> object:  # noqa: A002 (as in the envelope)
        """``event`` with its personal fields readable; ``id`` is the one it was stored under, or its 32 digits.

        Raises EventError.
        """
        ...
