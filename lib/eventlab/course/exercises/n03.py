"""Exercises of lesson 03: what moves a balance, a correction of a correction, and a statement from a bank's events."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.domain.account import (
    AccountOpened,
    AuthorisationReleased,
    Booking,
    CardAuthorised,
    Command,
    Corrected,
    Deposited,
    Event,
    FeeCharged,
    FraudScored,
    LimitChecked,
    PeriodClosed,
    Withdrawn,
    decider,
)
from eventlab.domain.money import Money
from eventlab.domain.statements import line_text, statement


def _movers(events: Sequence[Event]) -> set[str]:
    found, state = set(), decider.initial
    for event in events:
        after = decider.evolve(state, event)
        if after.balance.minor != state.balance.minor:
            found.add(type(event).__name__)
        state = after
    return found


def _check_movers(answer: object, ana: Sequence[Event]) -> str | None:
    if not isinstance(answer, Collection) or isinstance(answer, str):
        return 'The answer is a set of names, like `{"CardAuthorised", "LimitChecked"}`.'
    named = {kind.__name__ if isinstance(kind, type) else str(kind) for kind in answer}
    if unknown := sorted(named - {type(event).__name__ for event in ana}):
        return f"There is no event of type `{unknown[0]}` in `ana`."
    movers = _movers(ana)
    if wrong := sorted(named - movers):
        return f"`{wrong[0]}` leaves the balance as it is; it may change what Ana could spend, or nothing at all."
    if missing := movers - named:
        return f"Those do. {len(missing)} more: compare the balance before and after each event."
    return None


def _check_reversal(answer: object, twice: Sequence[Event]) -> str | None:
    if isinstance(answer, Command):
        return "That is a command, a wish. The answer is the event that follows from it."
    if not isinstance(answer, Event):
        return "The answer is one event."
    before, after = decider.fold(twice[:-1]), decider.fold([*twice, answer])
    if not isinstance(answer, Booking) or after.balance != before.balance:
        return f"Then Ana has {after.balance}. What did she have before the second correction?"
    if before.closed_until and answer.on <= before.closed_until:
        return (
            f"The books are closed up to {before.closed_until}: who books into them changes statements that were sent."
        )
    if before.booked_until and answer.on < before.booked_until:
        return f"On {answer.on} nobody had made the mistake yet."
    if not isinstance(answer, Corrected):
        return f'The balance is right. But the statement will say "{line_text(answer)}", and that is not what happened.'
    return None if answer.reason.strip() else "The balance is right. In a year nobody will know why: give a reason."


def _euro(minor: int) -> Money:
    return Money(minor, "EUR")


_OPENED = AccountOpened("Ana", "EUR", _euro(500_00), date(2026, 1, 2))
_PAID_IN = Deposited(_euro(950_00), date(2026, 1, 2))
_FEBRUARY = (date(2026, 2, 1), date(2026, 2, 28))
_STORIES: tuple[tuple[str, list[Event]], ...] = (
    ("nothing is booked in February", [_OPENED, _PAID_IN]),
    (
        "there are bookings on the first day of February and on its last",
        [
            _OPENED,
            _PAID_IN,
            FeeCharged(_euro(3_90), date(2026, 1, 31)),
            Withdrawn(_euro(50_00), date(2026, 2, 1)),
            Deposited(_euro(20_00), date(2026, 2, 28)),
            Withdrawn(_euro(7_00), date(2026, 3, 1)),
        ],
    ),
    (
        "a card is authorised in February and the money leaves in March",
        [
            _OPENED,
            _PAID_IN,
            FraudScored(4, "Hotel Hafen", date(2026, 2, 27)),
            LimitChecked(_euro(145_00), _euro(1_450_00), date(2026, 2, 27)),
            CardAuthorised(_euro(145_00), "Hotel Hafen", date(2026, 2, 27)),
            PeriodClosed(*_FEBRUARY, _euro(950_00)),
            AuthorisationReleased(_euro(145_00), "Hotel Hafen", date(2026, 3, 1)),
            Withdrawn(_euro(145_00), date(2026, 3, 1), "Hotel Hafen"),
        ],
    ),
    (
        "a booking of January is corrected in February, with January as its value date",
        [
            _OPENED,
            _PAID_IN,
            Corrected(_euro(-9_00), date(2026, 2, 3), "paid in 941.00", value_date=date(2026, 1, 2)),
        ],
    ),
)


def _check_statement(answer: Any) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(events, first, last): …`"
    for what, events in _STORIES:
        got = answer(list(events), *_FEBRUARY)
        right = statement(events, *_FEBRUARY)
        if not isinstance(got, tuple | list) or len(got) != 2:
            return f"Your function gives {got!r}: give a pair, the opening balance and the closing balance."
        for name, mine, true in zip(("opening", "closing"), got, (right.opening, right.closing), strict=True):
            if mine != true:
                told = "; ".join(map(str, events))
                return f"When {what}, the {name} balance of February is not {mine}. The events: {told}."
    return None


PLAN = Plan(
    title="Accountants don't use erasers",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_movers,
            why="Only these are money. Whoever adds up every `amount` counts one card payment four times.",
            hints=(
                "Some events only hold money for a while, and the balance does not know of that.",
                "Go through `ana` with `decider.evolve`, and keep the state: when does `state.balance` change?",
            ),
            solution="""
from eventlab.domain.account import decider

answer, state = set(), decider.initial
for event in ana:
    after = decider.evolve(state, event)
    if after.balance.minor != state.balance.minor:
        answer.add(type(event).__name__)
    state = after
""",
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_reversal,
            why="A correction can be wrong too, and is corrected like anything else. Nothing had to be taken away.",
            hints=(
                "Which event makes an earlier booking good? Its amount has a sign.",
                "Look at `twice[-1]`: the new event has the opposite amount, a day on which the books are open, and "
                "words of its own.",
            ),
            solution="""
from eventlab.domain.account import Corrected

answer = Corrected(-Money.of("1.00", "EUR"), date(2026, 4, 7), "corrected twice on 2 April")
""",
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_statement,
            why="Opening, closing, and between them what was booked: all of it was in the bank's own events.",
            hints=(
                "The opening balance is all that was booked before `first`; the closing one adds what was booked from "
                "`first` to `last`, both included.",
                "`isinstance(event, Booking)` leaves the chatter out, and `signed(booking)` is the amount with its "
                "sign. The day is `on`; the value date is for interest.",
            ),
            solution="""
from eventlab.domain.account import Booking, signed


def answer(events, first, last):
    bookings = [event for event in events if isinstance(event, Booking)]
    nothing = Money.of(0, "EUR")
    opening = sum([signed(booking) for booking in bookings if booking.on < first], nothing)
    return opening, sum([signed(booking) for booking in bookings if first <= booking.on <= last], opening)
""",
        ),
    ),
    recall=(
        Question(
            "A wrong booking is found after the books of its month are closed. What is booked?",
            (
                Option(
                    "The right amount, in place of the wrong one", "Then every statement since says something else."
                ),
                Option(
                    "A correction of today, with its reason",
                    "Yes: the value date can still be the old one.",
                    right=True,
                ),
                Option("A correction on the day of the mistake", "Those books are closed: that statement was sent."),
            ),
            lesson="03",
        ),
        Question(
            "Each month is a stream of its own. Why can a load leave out the months before?",
            (
                Option("They have been deleted", "They are all still there, to be read by whoever asks."),
                Option("A decision does not depend on the past", "It does: on the balance, the limit, what is held."),
                Option("What a decision needs of them was brought forward", "Yes, in the first events.", right=True),
            ),
            lesson="03",
        ),
        Question(
            "From lesson 02: the fee changes in May. May evolve look up the fee in the price list?",
            (
                Option("No: the amount belongs into the event", "Yes: else January's fee changes in May.", right=True),
                Option("Yes, if the price list is in the same database", "It would still be the list of today."),
                Option("Yes, as long as it does not change the list", "Reading it is asking the clock, in disguise."),
            ),
            lesson="02",
        ),
    ),
)
