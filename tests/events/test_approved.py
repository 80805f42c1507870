"""Events that were stored once stay readable: a change of an event type that breaks old events fails here."""

import json

import pytest
from msgspec import defstruct

from eventlab.events.errors import EventError
from eventlab.events.registry import EventType, TypeRegistry

from . import approval
from .approval import registry

HOW_TO_PROCEED = """
Events in this form are in stores, and stay there. If you need another form:
  - only a field more, and it has a default: old events are read with that default, the schema version stays;
  - anything else: register the class with the next schema_version and with upcasters from the one before
    (lib/eventlab/events/catalogue.py; docs/decisions/how-events-change.md).
Then run `python -m tests.events.approval`, and read what it changed in tests/events/approved/."""

FORMS = [(entry, form) for entry in registry for form in approval.approved(entry)]


@pytest.mark.parametrize("entry", list(registry), ids=lambda entry: entry.name)
def test_what_is_written_is_an_approved_form(entry: EventType):
    forms = [approval.stored_form(form) for form in approval.approved(entry)]
    assert approval.written(entry) in forms, f"{entry.name} is stored in a form that nobody approved.{HOW_TO_PROCEED}"


@pytest.mark.parametrize("entry", list(registry), ids=lambda entry: entry.name)
def test_no_schema_version_has_two_meanings(entry: EventType):
    """Forms of one version differ by fields that came later: what an older form has, a newer one has too."""
    by_version: dict[int, set[str]] = {}
    for form in approval.approved(entry):
        before = by_version.get(form["schema_version"], set())
        assert before <= set(form["stored"]), f"{entry.name}: a field went, but the version stayed.{HOW_TO_PROCEED}"
        by_version[form["schema_version"]] = set(form["stored"])
    assert sorted(by_version) == list(range(1, entry.schema_version + 1)), f"{entry.name}: forms of a version are gone"


@pytest.mark.parametrize(
    ("entry", "form"), FORMS, ids=[f"{entry.name}-v{form['schema_version']}" for entry, form in FORMS]
)
def test_what_was_stored_is_read_as_it_was_approved(entry: EventType, form: dict):
    try:
        read = approval.read_as(form)
    except EventError as error:
        pytest.fail(f"{entry.name} in its approved form cannot be read any more: {error}{HOW_TO_PROCEED}")
    assert read == form["read_as"], f"{entry.name}: an old event means something else now.{HOW_TO_PROCEED}"


def test_every_file_is_of_a_type_that_is_registered():
    """A type that is no longer written is still read: its class, or the one that follows it, stays registered."""
    for path in sorted(approval.APPROVED.glob("*.json")):
        for form in json.loads(path.read_text()):
            registry.of_name(form["type"])


class TestItNotices:
    """What the approval is for: each of these changes is made to a copy of the catalogue."""

    @pytest.fixture(autouse=True)
    def _own_registry(self, monkeypatch):
        self.catalogue = TypeRegistry()
        for entry in registry:
            if entry.name != "ItemRemoved":
                self.catalogue.register(entry.cls)
        monkeypatch.setattr(approval, "CODEC", approval.JsonCodec(self.catalogue))
        self.stored = approval.approved(registry.of_name("ItemRemoved"))[-1]

    def removed(self, *fields, **registered):
        cls = defstruct("ItemRemoved", list(fields), frozen=True)
        self.catalogue.register(cls, "ItemRemoved", **registered)
        return self.catalogue.of_name("ItemRemoved")

    def test_a_field_more_without_a_default(self):
        entry = self.removed(("product", str), ("quantity", int), ("why", str))
        with pytest.raises(
            BaseException, match=r"cannot be read any more(.|\n)*next schema_version and with upcasters"
        ):
            test_what_was_stored_is_read_as_it_was_approved(entry, self.stored)

    def test_a_field_more_with_a_default_needs_approval_only(self):
        entry = self.removed(("product", str), ("quantity", int), ("why", str, "?"))
        with pytest.raises(AssertionError, match=r"nobody approved(.|\n)*python -m tests.events.approval"):
            test_what_is_written_is_an_approved_form(entry)
        assert approval.read_as(self.stored)["why"] == "?"

    def test_a_field_that_goes(self):
        entry = self.removed(("product", str))
        with pytest.raises(AssertionError, match="means something else now"):
            test_what_was_stored_is_read_as_it_was_approved(entry, self.stored)

    def test_a_field_with_another_type(self):
        entry = self.removed(("product", str), ("quantity", str))
        with pytest.raises(BaseException, match="cannot be read any more"):
            test_what_was_stored_is_read_as_it_was_approved(entry, self.stored)

    def test_an_upcaster_that_changes_what_old_events_mean(self):
        double = {1: lambda fields: {**fields, "quantity": 2 * fields["quantity"]}}
        entry = self.removed(("product", str), ("quantity", int), schema_version=2, upcasters=double)
        with pytest.raises(AssertionError, match="means something else now"):
            test_what_was_stored_is_read_as_it_was_approved(entry, self.stored)

    def test_a_type_under_another_name(self):
        self.catalogue.register(registry.of_name("ItemRemoved").cls, "ItemTakenOut")
        with pytest.raises(BaseException, match="no event class is registered for the stored type 'ItemRemoved'"):
            test_what_was_stored_is_read_as_it_was_approved(registry.of_name("ItemRemoved"), self.stored)
