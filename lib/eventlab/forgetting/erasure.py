"""To be forgotten is a fact as well: the event says who and why, and whoever hears it takes away what it holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid5

from msgspec import Struct

from eventlab.events.envelope import NewEvent, StreamId
from eventlab.events.errors import UnknownEventType
from eventlab.forgetting.keys import KeyStore
from eventlab.store.contract import EventStore, Unavailable

# One erasure per subject: its event has the same id whenever it is tried again.
_ERASURES = UUID("6b1c9c2e-8a0f-4f0e-9d56-0b6a6f1b8f11")


class SubjectForgotten(Struct, frozen=True, gc=False):
    """A data subject asked to be forgotten: its keys are destroyed. ``reason`` names the request, not the person."""

    subject: str
    reason: str

    def __str__(self) -> str:
        return f"forgot the subject {self.subject}: {self.reason}"


def forget(store: EventStore, keys: KeyStore, subject: str, reason: str) -> None:
    """Record that ``subject`` is forgotten, then destroy its keys. Again: the same, once.

    Raises UnknownEventType when the store's registry does not know :class:`SubjectForgotten`, ValueError for a subject
    that never had a key (a mistyped id would forget nobody), the store's errors, and Unavailable when the erasure is
    recorded, but the key store did not answer: call it again, or :func:`enforce`.
    """
    if not keys.knows(subject):
        raise ValueError(f"nothing was ever sealed for the subject {subject!r}; check the id")
    new = NewEvent(SubjectForgotten(subject, reason), id=uuid5(_ERASURES, subject))
    with _told_of_the_registry():
        store.append(StreamId("subject", subject), [new])
    try:
        keys.destroy(subject)
    except Unavailable as error:
        raise Unavailable(
            f"the erasure of {subject!r} is recorded, but its keys are still there: {error}; then forget it again"
        ) from error


def enforce(store: EventStore, keys: KeyStore) -> list[str]:
    """Destroy the keys of all whom ``store`` says to be forgotten, and say whose were there.

    For a key store that was restored from a copy: the copy still has them. Raises UnknownEventType and Unavailable.
    """
    with _told_of_the_registry():
        told = dict.fromkeys(each.event.subject for each in store.read_all(types=[SubjectForgotten]))  # type: ignore[attr-defined]
    return [subject for subject in told if keys.destroy(subject)]


@contextmanager
def _told_of_the_registry() -> Iterator[None]:
    try:
        yield
    except UnknownEventType as error:
        raise UnknownEventType(
            "the registry of this store does not know SubjectForgotten, so it has no record of who is forgotten, and "
            "no key was destroyed; open the store with TypeRegistry([*EVENTS, SubjectForgotten])"
        ) from error
