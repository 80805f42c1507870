"""Personal fields, each under its subject's key: sealed before an event is encoded, opened after it is decoded."""

import os
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any
from urllib.parse import quote, unquote
from uuid import UUID

from cryptography.exceptions import InvalidTag
from msgspec.structs import force_setattr, replace

from eventlab.events.envelope import NewEvent, StreamId
from eventlab.events.errors import EventError
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
                try:
                    changes[name] = self._seal(text, whose(stream, new), new.id)
                except EventError as error:
                    raise error.at(f"{stream}: {cls.__name__}.{name}") from error.__cause__
        return replace(new, event=replace(new.event, **changes)) if changes else new  # type: ignore[type-var]

    def _seal(self, text: object, subject: str, event: UUID) -> str:
        if isinstance(text, Forgotten):
            raise SubjectIsForgotten("it is forgotten, so it cannot be stored again; leave it empty")
        if not isinstance(text, str):
            raise Unsealable(f"it is personal and has to be text, not {type(text).__name__}")
        if text.startswith(SEALED):
            raise Unsealable(f"it begins with {SEALED!r} as sealed texts do, and could not be told from them")
        if not subject or "\0" in subject:
            raise Unsealable("it is personal, but the event does not say whose: the subject's id is empty or no text")
        try:
            clear, about = text.encode(), _about(subject, event)
        except UnicodeEncodeError as error:
            raise Unsealable(f"it cannot be stored ({error})") from error
        version, key = self._keys.to_seal(subject)
        nonce = os.urandom(NONCE_BYTES)
        secret = b2a_base64(nonce + key.encrypt(nonce, clear, about), newline=False).decode()
        return f"{SEALED}{_quoted(subject)}:{version}:{secret}"

    def open(self, event: Any, id: UUID | str) -> object:  # noqa: A002 (as in the envelope)
        """See :meth:`Sealing.open <eventlab.store.sealing.Sealing.open>`; what is forgotten reads as ``FORGOTTEN``.

        The event, which was just decoded and is nobody else's, is changed in place.
        Raises Tampered, MissingKey, WrongKey, and Unavailable when the key store is down.
        """
        for name in self._fields.get(type(event), ()):
            text = getattr(event, name)
            if text and text.startswith(SEALED):
                try:
                    force_setattr(event, name, self._opened(text, id))
                except EventError as error:
                    raise error.at(f"{type(event).__name__}.{name}") from error.__cause__
        return event

    def _opened(self, sealed: str, event: UUID | str) -> str:
        try:
            quoted, version, secret = sealed[len(SEALED) :].split(":")
            subject, number, data = _unquoted(quoted), int(version), a2b_base64(secret, strict_mode=True)
        except ValueError as error:
            raise Tampered(f"it begins as a sealed text and does not go on as one ({error})") from error
        key = self._keys.to_open(subject, number)
        if key is None:
            return FORGOTTEN
        try:
            return key.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], _about(subject, event)).decode()
        except (InvalidTag, ValueError) as error:
            raise Tampered(
                f"it is not what was sealed for the subject {subject!r} and this event: it was changed, or comes from "
                "another event"
            ) from error


def _about(subject: str, event: UUID | str) -> bytes:
    return f"{event if isinstance(event, str) else event.hex}{subject}".encode()
