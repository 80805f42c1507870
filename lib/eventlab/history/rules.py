"""Would the rules have allowed this history? A rule judges commands, so each event is asked for again."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, cast

import msgspec

from eventlab.domain import account, cart
from eventlab.domain.account import commands as ask
from eventlab.domain.decider import Decider, Refused

# Commands with the same fields as the event that they lead to.
_SAME_FIELDS: dict[type, Callable[..., object]] = {
    cart.CartCreated: cart.CreateCart,
    cart.ItemAdded: cart.AddItem,
    cart.ItemRemoved: cart.RemoveItem,
    cart.CartAbandoned: cart.Abandon,
    account.AccountOpened: ask.OpenAccount,
    account.Deposited: ask.Deposit,
    account.Withdrawn: ask.Withdraw,
    account.TransferSent: ask.SendTransfer,
    account.TransferReceived: ask.ReceiveTransfer,
    account.FeeCharged: ask.ChargeFee,
    account.InterestCredited: ask.CreditInterest,
    account.Corrected: ask.Correct,
    account.AccountClosed: ask.CloseAccount,
}
_KNOWN: tuple[tuple[Decider[Any, Any, Any], tuple[type, ...]], ...] = (
    (cart.decider, cart.EVENTS),
    (account.decider, account.EVENTS),
)


def check_event(decider: Decider[Any, Any, Any], event: object) -> None:
    """Raises ValueError for what is no event of the cart or the account; of other deciders nothing is known."""
    for known, events in _KNOWN:
        if decider is known and not isinstance(event, events):
            names = ", ".join(cls.__name__ for cls in events)
            raise ValueError(f"{event!r} is not an event that can be folded here; these can: {names}")


def refusals(decider: Decider[Any, Any, Any], events: Sequence[object]) -> list[str | None]:
    """For each event what the rules say against it in the state before it; None when they allow it or do not judge it.

    Judged are the cart's and the account's events to which a command leads.
    """
    said: list[str | None] = []
    state = decider.initial
    for command, event in zip(_commands(decider, events), events, strict=True):
        said.append(None if command is None else _against(decider, command, state))
        state = decider.evolve(state, cast(Any, event))
    return said


def _against(decider: Decider[Any, Any, Any], command: object, state: object) -> str | None:
    try:
        decider.decide(command, state)
    except Refused as refusal:
        return str(refusal)
    return None


def _commands(decider: Decider[Any, Any, Any], events: Sequence[object]) -> list[object | None]:
    if not any(decider is known for known, _ in _KNOWN):
        return [None] * len(events)
    commands = [_command(event) for event in events]
    for number, (event, after) in enumerate(pairwise(events)):
        match event, after:
            case account.AuthorisationReleased(amount, merchant, on), account.Withdrawn(text=text) if text == merchant:
                commands[number : number + 2] = [ask.SettleCard(amount, on, merchant, after.reference), None]
    return commands


def _command(event: object) -> object | None:
    """The command that leads to the event; None for what comes along with another event, or from an import."""
    match event:
        case cart.QuantityChanged(product, _, after):
            return cart.ChangeQuantity(product, after)
        case cart.CheckedOut():
            return cart.CheckOut()
        case account.CardAuthorised(amount, merchant, on):
            return ask.AuthoriseCard(amount, on, merchant)
        case account.AuthorisationReleased(_, merchant, on):
            return ask.ReleaseAuthorisation(on, merchant)
        case account.PeriodClosed(_, last):
            return ask.ClosePeriod(last)
    same = _SAME_FIELDS.get(type(event))
    return None if same is None else same(**msgspec.structs.asdict(cast(msgspec.Struct, event)))
