"""Personal fields, each under its subject's key: sealed before an event is encoded, opened after it is decoded."""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any
from urllib.parse import quote, unquote
from uuid import UUID

from cryptography.exceptions import InvalidTag
from msgspec.structs import force_setattr, replace

from eventlab.events.envelope import NewEvent, StreamId
from eventlab.forgetting.erasure import SubjectForgotten
from eventlab.forgetting.errors import NotDeclared, SubjectIsForgotten, Tampered, Unsealable
from eventlab.forgetting.keys import NONCE_BYTES, KeyStore
from eventlab.forgetting.personal import FORGOTTEN, Forgotten, Personal, Whose
from eventlab.store.contract import Append

# What a sealed text begins with: the form and its version. Then subject, key version; nonce, ciphertext and tag.
SEALED = "sealed/1:"
_quoted, _unquoted = lru_cache(maxsize=4096)(partial(quote, safe="")), lru_cache(maxsize=4096)(unquote)


class Sealer:
    """What a store is given to keep personal fields unreadable at rest: ``SqlEventStore(url, sealing=Sealer(…))``.

    AES-256-GCM, with the ids of subject and event as associated data: a sealed text that was moved to another event
    or given to another subject does not open. Texts that were stored before are read as they are. What stays readable
    is the subject's id, the length of each text, and every field that is not personal.
    """

    def __init__(self, keys: KeyStore, personal: Personal) -> None:
        self._keys = keys
        self._fields: Mapping[type, Mapping[str, Whose]] = {**personal, SubjectForgotten: {}}

    def seal(self, append: Append) -> Append:
        """See :meth:`Sealing.seal <eventlab.store.sealing.Sealing.seal>`; empty texts stay as they are.

        Raises NotDeclared, Unsealable, SubjectIsForgotten, WrongKey, and Unavailable when the key store is down.
        """
        return replace(append, events=[self._sealed(append.stream, new) for new in append.events])

    def _sealed(self, stream: StreamId, new: NewEvent) -> NewEvent:
        cls = type(new.event)
        fields = self._fields.get(cls)
        if fields is None:
            raise NotDeclared(
                f"{stream}: nobody has said which fields of {cls.__name__} are personal; give it a line in the table "
                "of personal fields, an empty one if there are none"
            )
        if not fields:
            return new
        changes = {}
        for name, whose in fields.items():
            text = getattr(new.event, name)
            if text is not None and text != "":
                changes[name] = self._seal(f"{stream}: {cls.__name__}.{name}", text, whose(stream, new), new.id)
        return replace(new, event=replace(new.event, **changes)) if changes else new  # type: ignore[type-var]

    def _seal(self, what: str, text: object, subject: str, event: UUID) -> str:
        if isinstance(text, Forgotten):
            raise SubjectIsForgotten(f"{what} is forgotten, so it cannot be stored again; leave it empty")
        if not isinstance(text, str):
            raise Unsealable(f"{what} is personal and has to be text, not {type(text).__name__}")
        if text.startswith(SEALED):
            raise Unsealable(f"{what} begins with {SEALED!r} as sealed texts do; it could not be told from them")
        if not subject:
            raise Unsealable(f"{what} is personal, but the event does not say whose: the subject's id is empty")
        try:
            clear, about = text.encode(), _about(subject, event)
        except UnicodeEncodeError as error:
            raise Unsealable(f"{what} cannot be stored: {error}") from error
        version, key = self._keys.to_seal(subject)
        nonce = os.urandom(NONCE_BYTES)
        secret = urlsafe_b64encode(nonce + key.encrypt(nonce, clear, about)).decode()
        return f"{SEALED}{_quoted(subject)}:{version}:{secret}"

    def open(self, event: Any, id: UUID | str) -> object:  # noqa: A002 (as in the envelope)
        """See :meth:`Sealing.open <eventlab.store.sealing.Sealing.open>`; what is forgotten reads as ``FORGOTTEN``.

        The event, which was just decoded and is nobody else's, is changed in place.
        Raises Tampered, MissingKey, WrongKey, and Unavailable when the key store is down.
        """
        for name in self._fields.get(type(event), ()):
            text = getattr(event, name)
            if text is not None and text.startswith(SEALED):
                force_setattr(event, name, self._opened(f"{type(event).__name__}.{name}", text, id))
        return event

    def _opened(self, what: str, sealed: str, event: UUID | str) -> str:
        try:
            quoted, version, secret = sealed.removeprefix(SEALED).split(":")
            subject, number, data = _unquoted(quoted), int(version), urlsafe_b64decode(secret)
        except ValueError as error:
            raise Tampered(f"{what} begins as a sealed text and does not go on as one ({error})") from error
        key = self._keys.to_open(subject, number)
        if key is None:
            return FORGOTTEN
        try:
            return key.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], _about(subject, event)).decode()
        except (InvalidTag, ValueError) as error:
            raise Tampered(
                f"{what} is not what was sealed for the subject {subject!r} and this event: it was changed, or comes "
                "from another event"
            ) from error


def _about(subject: str, event: UUID | str) -> bytes:
    return f"{event if isinstance(event, str) else event.hex}{subject}".encode()
