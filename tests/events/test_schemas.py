"""The published schemas describe what is really stored, and lie in docs/schemas as they are."""

import json
from pathlib import Path

import fastavro
import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from eventlab.events.avro import avro_schema, avro_union
from eventlab.events.catalogue import registry
from eventlab.events.codec import JsonCodec
from eventlab.events.registry import TypeRegistry
from eventlab.events.schemas import json_schema, publish
from eventlab.forgetting import SubjectForgotten

from .test_catalogue import events

PUBLISHED = [*registry, *TypeRegistry([SubjectForgotten])]
CODEC = JsonCodec(registry)
VALIDATORS = {entry.name: jsonschema.Draft202012Validator(json_schema(entry)) for entry in registry}


@settings(deadline=None)
@given(events)
def test_what_is_stored_has_its_json_schema(event):
    encoded = CODEC.encode(event)
    VALIDATORS[encoded.type].validate(json.loads(encoded.data))


@settings(deadline=None)
@given(events, st.data())
def test_what_lacks_a_field_it_needs_has_not(event, data):
    encoded = CODEC.encode(event)
    stored = json.loads(encoded.data)
    del stored[data.draw(st.sampled_from(json_schema(registry.of_name(encoded.type))["required"]))]
    assert not VALIDATORS[encoded.type].is_valid(stored)


@pytest.mark.parametrize("entry", PUBLISHED, ids=lambda entry: entry.name)
def test_every_schema_is_one(entry):
    jsonschema.Draft202012Validator.check_schema(json_schema(entry))
    fastavro.parse_schema(avro_schema(entry))


def test_the_union_of_all_defines_each_name_once():
    fastavro.parse_schema(avro_union(registry))


def test_a_field_that_avro_cannot_have_is_named():
    class Tagged(Struct):
        tags: dict[str, str]

    with pytest.raises(ValueError, match=r"Tagged\.tags: DictType has no type in Avro"):
        avro_schema(TypeRegistry([Tagged]).of_class(Tagged))


def test_they_are_published_as_they_are(tmp_path):
    """After a change of an event: ``eventlab schemas docs/schemas``."""
    published = Path(__file__).parents[2] / "docs/schemas"
    for path in publish(PUBLISHED, tmp_path):
        there = published / path.name
        assert there.exists(), f"{there} is missing: run `eventlab schemas docs/schemas`"
        assert there.read_text() == path.read_text(), f"{there} is not of today: run `eventlab schemas docs/schemas`"
    names = {each.name for entry in PUBLISHED for each in published.glob(f"{entry.name}.v*")}
    assert names == {each.name for each in published.iterdir()}
