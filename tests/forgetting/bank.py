"""Two customers of a bank, what happens to them, and the stores that hold it."""

from datetime import date

from eventlab.domain import account
from eventlab.domain.account import AccountOpened, Deposited, TransferReceived, TransferSent
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.events.registry import TypeRegistry
from eventlab.forgetting import SubjectForgotten, new_key

KEK = new_key()
REGISTRY = TypeRegistry([*account.EVENTS, SubjectForgotten])
ANA, BEN = StreamId("account", "1001"), StreamId("account", "1002")
ON = date(2026, 3, 3)


def eur(text: str) -> Money:
    return Money.of(text, "EUR")


def opened(owner: str) -> NewEvent:
    return NewEvent(AccountOpened(owner, "EUR", eur("0.00"), ON))


def deposited(amount: str, text: str = "") -> NewEvent:
    return NewEvent(Deposited(eur(amount), ON, text))


def sent(amount: str, to: str, text: str = "", counterparty: str = BEN.key) -> NewEvent:
    return NewEvent(TransferSent(eur(amount), ON, to, text), metadata={"counterparty": counterparty})


def received(amount: str, sender: str, text: str = "") -> NewEvent:
    return NewEvent(TransferReceived(eur(amount), ON, sender, text), metadata={"counterparty": ANA.key})


STORIES = {
    ANA: [opened("Ana Almeida"), deposited("100.00", "salary"), sent("30.00", "Ben Böttcher", "for the sofa")],
    BEN: [opened("Ben Böttcher"), received("30.00", "Ana Almeida", "sofa, thanks")],
}
