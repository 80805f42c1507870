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
from eventlab.forgetting.leaks import Leak, Report, Unsearched, leak_check
from eventlab.forgetting.personal import FORGOTTEN, Forgotten, Personal, by_field, by_metadata, by_stream
from eventlab.forgetting.places import Database, Files, Topic
from eventlab.forgetting.sealer import SEALED, Sealer

__all__ = [
    "FORGOTTEN",
    "SEALED",
    "Database",
    "Files",
    "Forgotten",
    "KeyStore",
    "Leak",
    "MissingKey",
    "NotDeclared",
    "Personal",
    "Report",
    "Sealer",
    "SubjectForgotten",
    "SubjectIsForgotten",
    "Tampered",
    "Topic",
    "Unsealable",
    "Unsearched",
    "WrongKey",
    "by_field",
    "by_metadata",
    "by_stream",
    "enforce",
    "forget",
    "leak_check",
    "new_key",
]
