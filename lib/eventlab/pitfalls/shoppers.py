"""The workload of several pitfalls: shoppers who fill their carts at the same time."""

from collections.abc import Iterable, Sequence
from random import Random
from typing import TypeVar

from eventlab.domain.cart import AddItem, ChangeQuantity, CheckOut, Command, CreateCart, Event, RemoveItem, decider
from eventlab.domain.money import Money
from eventlab.pitfalls.record import Fact

_Each = TypeVar("_Each")

_TROUSERS, _SOCKS = Money.of("49.90", "EUR"), Money.of("4.50", "EUR")
# One shopper after the other takes the next of these; every other one just buys.
_SECOND_THOUGHTS: tuple[tuple[Command, ...], ...] = (
    (),
    (RemoveItem("trousers", 2),),
    (),
    (ChangeQuantity("trousers", 1),),
    (),
    (AddItem("socks", 2, _SOCKS), RemoveItem("trousers", 2)),
    (),
    (AddItem("socks", 2, _SOCKS), ChangeQuantity("socks", 5)),
)


def stories(shoppers: int) -> list[list[Fact]]:
    """One story for each of ``cart-1``, ``cart-2``, …: three pairs of trousers in, perhaps second thoughts, bought."""
    return [
        [fact(f"cart-{number}", version, event) for version, event in enumerate(events(number), start=1)]
        for number in range(1, shoppers + 1)
    ]


def events(number: int) -> list[Event]:
    """The story of the cart of this number, from 1, in the words of its domain."""
    found: list[Event] = []
    second_thoughts = _SECOND_THOUGHTS[number % len(_SECOND_THOUGHTS)]
    for command in (CreateCart("Ana", "EUR"), AddItem("trousers", 3, _TROUSERS), *second_thoughts, CheckOut()):
        found += decider.decide(command, decider.fold(found))
    return found


def fact(cart: str, version: int, event: Event) -> Fact:
    """An event of a cart, as the shop writes it to a topic."""
    return Fact(cart, version, type(event).__name__, str(event), "shop")


def interleaved(stories: Sequence[Iterable[_Each]], seed: int) -> list[_Each]:
    """The facts as they reach the shop's servers: every story in its own order, all stories at the same time."""
    running = [list(story) for story in stories]
    turns = [story for story in running for _ in story]
    Random(seed).shuffle(turns)  # noqa: S311 an order that repeats, not a secret
    return [story.pop(0) for story in turns]
