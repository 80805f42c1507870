"""What lesson 03's notebook has in hand when its exercises come, and plausible wrong answers."""

from datetime import date

from eventlab.course import bank
from eventlab.domain.account import Booking, Correct, Corrected, Deposited, Withdrawn, decider, signed
from eventlab.domain.money import Money
from eventlab.events.envelope import StreamId

_EURO = Money.of("1.00", "EUR")
_ANA = StreamId("account", "4")


def context(request):
    accounts = bank.accounts(4)
    command = Correct(_EURO, date(2026, 4, 2), "the fee of January was 2.90", "FEE-2026-01")
    corrected = bank.told(accounts, command)[_ANA]
    return {
        "ana": accounts[_ANA],
        "twice": [*corrected, corrected[-1]],
        "Money": Money,
        "date": date,
    }


def all_amounts(events, first, last):
    moved = [event for event in events if hasattr(event, "amount")]
    opening = sum((event.amount for event in moved if event.on < first), Money(0, "EUR"))
    return opening, sum((event.amount for event in moved if first <= event.on <= last), opening)


def bookings(before, within, day=lambda booking: booking.on):
    def answer(events, first, last):
        booked = [event for event in events if isinstance(event, Booking)]
        opening = sum((signed(each) for each in booked if before(day(each), first)), Money(0, "EUR"))
        return opening, sum((signed(each) for each in booked if within(day(each), first, last)), opening)

    return answer


def balance_now(events, first, last):
    return Money(0, "EUR"), decider.fold(events).balance


def wrong(values):
    everything = {type(event).__name__ for event in values["ana"]}
    return {
        "a": [
            {"CardAuthorised", "LimitChecked"},
            {"Withdrawn", "Deposited"},
            [Withdrawn, Deposited],
            {"Withdraw"},
            everything,
            "Withdrawn",
            7,
        ],
        "b": [
            Corrected(_EURO, date(2026, 4, 7), "twice"),
            Corrected(-_EURO, date(2026, 4, 7), " "),
            Corrected(-_EURO, date(2026, 1, 31), "twice"),
            Corrected(-_EURO, date(2026, 4, 1), "twice"),
            Withdrawn(_EURO, date(2026, 4, 7)),
            Correct(-_EURO, date(2026, 4, 7), "twice"),
            [Corrected(-_EURO, date(2026, 4, 7), "twice")],
            values["twice"][:-1],
            "UPDATE",
        ],
        "c": [
            all_amounts,
            balance_now,
            bookings(lambda day, first: day <= first, lambda day, first, last: first < day <= last),
            bookings(lambda day, first: day < first, lambda day, first, last: first <= day < last),
            bookings(
                lambda day, first: day < first,
                lambda day, first, last: first <= day <= last,
                day=lambda booking: getattr(booking, "value_date", None) or booking.on,
            ),
            lambda events, first, last: decider.fold(events).balance,
            lambda events, first, last: (1, 2),
            {},
        ],
    }
