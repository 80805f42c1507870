"""The event types of the two example domains: what every store knows unless it is given another registry."""

from eventlab.events.registry import TypeRegistry

registry = TypeRegistry()
