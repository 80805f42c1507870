"""The right to be forgotten in a store that never deletes: a key per data subject, and what still leaks."""

from eventlab.forgetting.erasure import SubjectForgotten, enforce, forget
from eventlab.forgetting.errors import (
    MissingKey,
    NotDeclared,
    SubjectIsForgotten,
    Tampered,
    Unsealable,
    WrongKey,
)
from eventlab.forgetting.keys import KeyStore, new_key
from eventlab.forgetting.personal import FORGOTTEN, Forgotten, Personal, by_field, by_metadata, by_stream
from eventlab.forgetting.sealer import SEALED, Sealer

__all__ = [
    "FORGOTTEN",
    "SEALED",
    "Forgotten",
    "KeyStore",
    "MissingKey",
    "NotDeclared",
    "Personal",
    "Sealer",
    "SubjectForgotten",
    "SubjectIsForgotten",
    "Tampered",
    "Unsealable",
    "WrongKey",
    "by_field",
    "by_metadata",
    "by_stream",
    "enforce",
    "forget",
    "new_key",
]
