"""A fold that gives another state has another fingerprint; the same fold has the same, in every process."""

import subprocess
import sys
from types import MappingProxyType
from typing import Any

import pytest
from msgspec import Struct

from eventlab.domain import account, cart
from eventlab.domain.decider import Decider
from eventlab.domain.money import Money
from eventlab.events.catalogue import registry as catalogue
from eventlab.events.registry import TypeRegistry
from eventlab.inputs.generate import demo_account
from eventlab.store.fingerprint import fingerprint

PROGRAM = """
from msgspec import Struct
from eventlab.domain.decider import Decider

RATE = 2
RATES = frozenset({"a", "b", "c"})

class Inner(Struct, frozen=True):
    minor: int

    def doubled(self):
        return self.minor * 2

class State(Struct, frozen=True):
    total: Inner = Inner(0)

def helper(event):
    return event + 1  # a comment

def outer():
    factor = 3
    def evolve(state, event):
        '''What it does.'''
        return State(Inner(state.total.minor + helper(event) * RATE * factor * (event in RATES or 1)))
    return evolve

decider = Decider(State(), lambda command, state: [], outer())
"""


def of(source: str) -> str:
    module: dict[str, object] = {"__name__": "shop"}
    exec(compile(source, "shop.py", "exec"), module)
    decider = module["decider"]
    assert isinstance(decider, Decider)
    return fingerprint(decider, catalogue)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("event + 1", "event + 2"),
        ("RATE = 2", "RATE = 3"),
        ('"c"', '"d"'),
        ("minor: int", "minor: float"),
        ("class State(Struct, frozen=True):", "class State(Struct, frozen=True):\n    fees: int = 0"),
        ("total: Inner = Inner(0)", "total: Inner = Inner(1)"),
        ("self.minor * 2", "self.minor * 3"),
        ("factor = 3", "factor = 4"),
        ("state.total.minor + helper", "state.total.minor - helper"),
        ("def helper(event):", "def helper(event, more=1):"),
    ],
)
def test_another_fold_has_another_fingerprint(was: str, now: str) -> None:
    assert PROGRAM.count(was) == 1
    assert of(PROGRAM.replace(was, now)) != of(PROGRAM)


def test_how_an_event_is_split_is_part_of_the_fold_and_hides_none_of_it() -> None:
    split = PROGRAM.replace(", outer())", ", outer()).splitting(lambda event: [event, event])")
    changes = [("[event, event]", "[event]"), ("event + 1", "event + 2"), ("factor = 3", "factor = 4")]
    assert len({of(PROGRAM), of(split), *(of(split.replace(was, now)) for was, now in changes)}) == 5


@pytest.mark.parametrize(
    ("was", "now"),
    [("# a comment", ""), ("What it does.", "Adds up."), ("lambda command", "lambda wish"), ("\n\n", "\n\n\n")],
)
def test_what_the_fold_does_not_depend_on_leaves_it(was: str, now: str) -> None:
    assert was in PROGRAM
    assert of(PROGRAM.replace(was, now)) == of(PROGRAM)


def test_a_revision_is_a_change_that_cannot_be_seen() -> None:
    assert fingerprint(cart.decider, catalogue, revision=2) != fingerprint(cart.decider, catalogue)


def test_another_upcaster_gives_another_state_and_so_another_fingerprint() -> None:
    def of_steps(**steps: Any) -> str:
        registry = TypeRegistry()
        registry.register(cart.CartCreated, **steps)
        return fingerprint(cart.decider, registry)

    first = of_steps(schema_version=2, upcasters={1: lambda fields: {**fields, "currency": "EUR"}})
    again = of_steps(schema_version=2, upcasters={1: lambda fields: {**fields, "currency": "EUR"}})
    other = of_steps(schema_version=2, upcasters={1: lambda fields: {**fields, "currency": "CHF"}})
    assert first == again
    assert len({first, other, of_steps()}) == 3


def test_use_leaves_it_and_so_does_another_process() -> None:
    before = fingerprint(account.decider, catalogue)
    account.decider.fold(new.event for new in demo_account())
    Money(1, "CHF")
    assert fingerprint(account.decider, catalogue) == before
    program = "from eventlab.domain import account; from eventlab.store.fingerprint import fingerprint; "
    program += "from eventlab.events.catalogue import registry; print(fingerprint(account.decider, registry))"
    for seed in ("1", "2"):
        told = subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        )
        assert told.stdout.strip() == before


def test_deciders_of_different_domains_differ() -> None:
    assert fingerprint(cart.decider, catalogue) != fingerprint(account.decider, catalogue)


class Tree(Struct, frozen=True):
    """A state that contains itself."""

    branches: tuple["Tree", ...] = ()
    names: MappingProxyType[str, int] = MappingProxyType({"a": 1})

    def grow(self) -> "Tree":
        return grown(self, self)


def grown(tree: Tree, branch: Tree) -> Tree:
    return Tree((*tree.branches, branch)) if tree.branches else branch.grow()


def test_functions_and_classes_that_need_each_other_come_to_an_end() -> None:
    assert fingerprint(Decider(Tree(), lambda command, state: [], grown), catalogue)
