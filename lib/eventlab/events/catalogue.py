"""The event types of the two example domains: what every store knows unless it is given another registry."""

from eventlab.domain import account, cart
from eventlab.events.registry import TypeRegistry

registry = TypeRegistry([*cart.EVENTS, *account.EVENTS])
