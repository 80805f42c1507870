from datetime import date, timedelta

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from msgspec.structs import replace

from eventlab.domain.account import (
    EVENTS,
    Account,
    AccountClosed,
    AccountOpened,
    AuthorisationReleased,
    AuthoriseCard,
    BalanceBroughtForward,
    CardAuthorised,
    ChargeFee,
    CloseAccount,
    ClosePeriod,
    Command,
    Correct,
    Corrected,
    CreditInterest,
    Deposit,
    Deposited,
    Event,
    FeeCharged,
    FraudScored,
    InterestCredited,
    LimitChecked,
    OpenAccount,
    PeriodClosed,
    ReceiveTransfer,
    ReleaseAuthorisation,
    SendTransfer,
    SettleCard,
    TransferReceived,
    TransferSent,
    Withdraw,
    Withdrawn,
    decider,
    signed,
)
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money

from .given import given


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


MARCH = date(2026, 3, 1)
THIRD = date(2026, 3, 3)
END_OF_MARCH = date(2026, 3, 31)
APRIL = date(2026, 4, 1)

OPENED = AccountOpened("ana", "EUR", eur("100"), MARCH)
FIFTY = Deposited(eur("50"), MARCH, "salary")

AMOUNTS = st.integers(-10, 20_000).map(lambda minor: Money(minor, "EUR"))
DAYS = st.integers(0, 60).map(lambda days: MARCH + timedelta(days=days))
MERCHANTS = st.sampled_from(["baker", "grocer"])
OWNER_DEBITS: st.SearchStrategy[Command] = st.one_of(
    st.builds(Withdraw, AMOUNTS, DAYS),
    st.builds(SendTransfer, AMOUNTS, DAYS, st.just("ben")),
    st.builds(AuthoriseCard, AMOUNTS, DAYS, MERCHANTS, st.integers(0, 100)),
    st.builds(SettleCard, AMOUNTS, DAYS, MERCHANTS),
)
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    OWNER_DEBITS,
    st.builds(Deposit, AMOUNTS, DAYS),
    st.builds(ReceiveTransfer, AMOUNTS, DAYS, st.just("ben")),
    st.builds(ReleaseAuthorisation, DAYS, MERCHANTS),
    st.builds(ClosePeriod, DAYS),
    st.builds(CreditInterest, AMOUNTS, DAYS),
    st.builds(CloseAccount, DAYS, st.just("moving")),
)
BANK_DEBITS: st.SearchStrategy[Command] = st.one_of(
    st.builds(ChargeFee, AMOUNTS, DAYS),
    st.builds(Correct, AMOUNTS.map(lambda amount: -amount), DAYS, st.just("wrong")),
)


def played(commands: list[Command], past: tuple[Event, ...] = (OPENED,)) -> list[Event]:
    """The events of an account which is asked all ``commands`` and refuses some."""
    events = list(past)
    for command in commands:
        try:
            events += decider.decide(command, decider.fold(events))
        except Refused:
            continue
    return events


def test_an_account_is_opened() -> None:
    given(decider).when(OpenAccount("ana", "EUR", eur("100"), MARCH)).then(OPENED)


@pytest.mark.parametrize(
    ("command", "event"),
    [
        (Deposit(eur("5"), THIRD, "cash", "r1", MARCH), Deposited(eur("5"), THIRD, "cash", "r1", MARCH)),
        (Withdraw(eur("5"), THIRD, "cash", "r1", MARCH), Withdrawn(eur("5"), THIRD, "cash", "r1", MARCH)),
        (
            SendTransfer(eur("5"), THIRD, "ben", "rent", "r1", MARCH),
            TransferSent(eur("5"), THIRD, "ben", "rent", "r1", MARCH),
        ),
        (
            ReceiveTransfer(eur("5"), THIRD, "ben", "rent", "r1", MARCH),
            TransferReceived(eur("5"), THIRD, "ben", "rent", "r1", MARCH),
        ),
        (ChargeFee(eur("5"), THIRD, "card", "r1", MARCH), FeeCharged(eur("5"), THIRD, "card", "r1", MARCH)),
        (CreditInterest(eur("5"), THIRD, "2025", "r1", MARCH), InterestCredited(eur("5"), THIRD, "2025", "r1", MARCH)),
        (
            Correct(eur("-5"), THIRD, "booked twice", "r0", "r1", MARCH),
            Corrected(eur("-5"), THIRD, "booked twice", "r0", "r1", MARCH),
        ),
    ],
)
def test_each_booking_keeps_all_it_was_told(command: Command, event: Event) -> None:
    given(decider, OPENED, FIFTY).when(command).then(event)


def test_the_overdraft_can_be_used_to_the_cent() -> None:
    given(decider, OPENED, FIFTY).when(Withdraw(eur("150"), THIRD)).then(Withdrawn(eur("150"), THIRD))
    given(decider, OPENED, FIFTY).when(Withdraw(eur("150.01"), THIRD)).then_refused(
        "cannot withdraw 150.01 EUR: 150.00 EUR is available (balance 50.00 EUR, overdraft limit 100.00 EUR)"
    )


def test_held_money_cannot_be_spent_twice() -> None:
    held = CardAuthorised(eur("140"), "baker", MARCH)
    given(decider, OPENED, FIFTY, held).when(SendTransfer(eur("11"), THIRD, "ben")).then_refused(
        "10.00 EUR is available"
    )


def test_a_fee_and_a_correction_may_go_beyond_the_limit() -> None:
    given(decider, OPENED).when(ChargeFee(eur("101"), THIRD)).then(FeeCharged(eur("101"), THIRD))
    given(decider, OPENED).when(Correct(eur("-101"), THIRD, "not yours")).then(
        Corrected(eur("-101"), THIRD, "not yours")
    )


def test_a_card_payment_leaves_chatter() -> None:
    given(decider, OPENED, FIFTY).when(AuthoriseCard(eur("20"), THIRD, "baker", score=7)).then(
        FraudScored(7, "baker", THIRD),
        LimitChecked(eur("20"), eur("150"), THIRD),
        CardAuthorised(eur("20"), "baker", THIRD),
    )


def test_a_settled_card_payment_is_released_and_booked() -> None:
    past = [OPENED, FIFTY, CardAuthorised(eur("20"), "baker", MARCH)]
    given(decider, *past).when(SettleCard(eur("18"), THIRD, "baker", "r1")).then(
        AuthorisationReleased(eur("18"), "baker", THIRD), Withdrawn(eur("18"), THIRD, "baker", "r1")
    )
    given(decider, *past).when(SettleCard(eur("21"), THIRD, "baker")).then_refused(
        "cannot settle 21.00 EUR: 20.00 EUR is held for baker"
    )


def test_what_was_never_claimed_is_released() -> None:
    held = CardAuthorised(eur("20"), "baker", MARCH)
    released = AuthorisationReleased(eur("20"), "baker", THIRD)
    given(decider, OPENED, held).when(ReleaseAuthorisation(THIRD, "baker")).then(released)
    given(decider, OPENED, held, released).when(ReleaseAuthorisation(THIRD, "baker")).then_nothing()


def test_the_books_are_closed_with_the_balance_and_take_nothing_more() -> None:
    closed = PeriodClosed(MARCH, END_OF_MARCH, eur("50"))
    given(decider, OPENED, FIFTY).when(ClosePeriod(END_OF_MARCH)).then(closed)
    given(decider, OPENED, FIFTY, closed).when(ClosePeriod(date(2026, 4, 30))).then(
        PeriodClosed(APRIL, date(2026, 4, 30), eur("50"))
    )
    given(decider, OPENED, FIFTY, closed).when(ClosePeriod(END_OF_MARCH)).then_refused("closed up to 2026-03-31")
    given(decider, OPENED, FIFTY, closed).when(Deposit(eur("5"), END_OF_MARCH)).then_refused(
        "cannot book on 2026-03-31: the books are closed up to 2026-03-31; book it on a later day"
    )
    late = Correct(eur("-5"), APRIL, "booked twice", value_date=THIRD)
    given(decider, OPENED, FIFTY, closed).when(late).then(Corrected(eur("-5"), APRIL, "booked twice", value_date=THIRD))


def test_the_books_are_closed_before_the_next_period_begins() -> None:
    given(decider, OPENED, Deposited(eur("5"), APRIL)).when(ClosePeriod(END_OF_MARCH)).then_refused(
        "cannot close the books on 2026-03-31: there is a booking on 2026-04-01 already"
    )


def test_an_empty_account_can_be_closed() -> None:
    given(decider, OPENED).when(CloseAccount(THIRD, "moving")).then(AccountClosed(THIRD, "moving"))
    given(decider, OPENED, FIFTY).when(CloseAccount(THIRD, "moving")).then_refused("its balance is 50.00 EUR, not zero")
    given(decider, OPENED, CardAuthorised(eur("20"), "baker", MARCH)).when(CloseAccount(THIRD, "moving")).then_refused(
        "money is still held for baker"
    )
    given(decider, OPENED, AccountClosed(THIRD, "moving")).when(Deposit(eur("5"), THIRD)).then_refused(
        "the account is closed"
    )


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (OpenAccount("ben", "EUR", eur("0"), MARCH), "it exists already, for ana"),
        (Deposit(eur("0"), THIRD), "cannot deposit 0.00 EUR: the amount must be above zero"),
        (Deposit(eur("-5"), THIRD), "cannot deposit -5.00 EUR: the amount must be above zero"),
        (Deposit(Money.of("5", "USD"), THIRD), "cannot deposit 5.00 USD: the account is in EUR"),
        (ReceiveTransfer(eur("0"), THIRD, "ben"), "cannot receive 0.00 EUR"),
        (ChargeFee(eur("-1"), THIRD), "cannot charge a fee of -1.00 EUR"),
        (CreditInterest(eur("0"), THIRD), "cannot credit interest of 0.00 EUR"),
        (Correct(eur("0"), THIRD, "why"), "cannot correct by nothing"),
        (Correct(eur("1"), THIRD, " "), "a correction needs a reason"),
        (Correct(Money.of("5", "USD"), THIRD, "why"), "the account is in EUR"),
        (AuthoriseCard(eur("1"), THIRD, "baker", score=101), "the fraud score 101 is not between 0 and 100"),
        (Deposit(eur("5"), date(2026, 2, 28)), "cannot book on 2026-02-28: the account begins on 2026-03-01"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(command: Command, message: str) -> None:
    given(decider, OPENED, FIFTY).when(command).then_refused(message)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (OpenAccount(" ", "EUR", eur("0"), MARCH), "needs an owner"),
        (OpenAccount("ana", "euro", eur("0"), MARCH), "three capital letters"),
        (OpenAccount("ana", "USD", eur("0"), MARCH), "do not mix"),
        (OpenAccount("ana", "EUR", eur("-1"), MARCH), "the overdraft limit -1.00 EUR is below zero"),
        (Deposit(eur("5"), THIRD), "there is no account yet"),
    ],
)
def test_an_account_needs_an_owner_a_currency_and_a_limit(command: Command, message: str) -> None:
    given(decider).when(command).then_refused(message)


def test_an_imported_statement_is_a_series_of_facts() -> None:
    imported = [BalanceBroughtForward(eur("200"), MARCH), Withdrawn(eur("900"), THIRD), Deposited(eur("5"), MARCH)]
    assert decider.fold(imported) == Account("open", "", "EUR", eur("0"), eur("-695"), since=MARCH, booked_until=THIRD)
    given(decider, *imported).when(Deposit(eur("5"), THIRD)).then(Deposited(eur("5"), THIRD))


def test_a_stream_may_begin_with_any_event() -> None:
    for event in (OPENED, BalanceBroughtForward(eur("1"), MARCH), FIFTY, CardAuthorised(eur("1"), "baker", MARCH)):
        assert decider.fold([event]).status == "open"
        assert decider.fold([event]).since == MARCH


def test_every_event_says_itself_in_words() -> None:
    events: list[Event] = [
        OPENED,
        BalanceBroughtForward(eur("1"), MARCH),
        FIFTY,
        Withdrawn(eur("1"), MARCH),
        TransferSent(eur("1"), MARCH, "ben", "rent"),
        TransferReceived(eur("1"), MARCH, "ben"),
        FeeCharged(eur("1"), MARCH, "card"),
        InterestCredited(eur("1"), MARCH),
        Corrected(eur("-1"), MARCH, "booked twice"),
        PeriodClosed(MARCH, END_OF_MARCH, eur("1")),
        AccountClosed(MARCH, "moving"),
        CardAuthorised(eur("1"), "baker", MARCH),
        AuthorisationReleased(eur("1"), "baker", MARCH),
        LimitChecked(eur("1"), eur("2"), MARCH),
        FraudScored(7, "baker", MARCH),
    ]
    assert [str(event) for event in events] == [
        "account opened for ana, overdraft up to 100.00 EUR",
        "balance of 1.00 EUR brought forward",
        "deposited 50.00 EUR: salary",
        "withdrew 1.00 EUR",
        "sent 1.00 EUR to ben: rent",
        "received 1.00 EUR from ben",
        "fee of 1.00 EUR: card",
        "interest of 1.00 EUR",
        "corrected by -1.00 EUR: booked twice",
        "books closed from 2026-03-01 to 2026-03-31 with 1.00 EUR",
        "account closed: moving",
        "card authorised: 1.00 EUR held for baker",
        "authorisation released: 1.00 EUR for baker",
        "limit checked: 1.00 EUR of 2.00 EUR available",
        "fraud scored: 7 of 100 for baker",
    ]
    assert tuple(type(event) for event in events) == EVENTS


@for_all(st.lists(COMMANDS, max_size=30))
def test_no_decision_of_the_owner_exceeds_the_overdraft(commands: list[Command]) -> None:
    account = decider.initial
    for event in played(commands):
        account = decider.evolve(account, event)
        assert account.balance.minor >= -account.overdraft_limit.minor
        assert all(held.minor > 0 for held in account.holds.values())
    assert account.available.minor >= 0


@for_all(st.lists(COMMANDS | BANK_DEBITS, max_size=30), OWNER_DEBITS)
def test_beyond_the_limit_only_held_payments_go_through(commands: list[Command], debit: Command) -> None:
    past = played(commands)
    before = decider.fold(past)
    after = decider.fold(played([debit], tuple(past)))
    if isinstance(debit, SettleCard):
        assert after.available == before.available
    elif after != before:
        assert after.available.minor >= 0


@for_all(st.lists(COMMANDS | BANK_DEBITS, max_size=30))
def test_closed_books_stay_as_they_were_closed(commands: list[Command]) -> None:
    """All bookings up to ``last`` stand before the closing, all later ones after it: it can stand for them all."""
    events = played(commands)
    for number, event in enumerate(events):
        if isinstance(event, PeriodClosed):
            before, after = decider.fold(events[:number]), events[number:]
            assert event.closing == before.balance
            assert before.booked_until is None or before.booked_until <= event.last
            assert all(later.on > event.last for later in after if hasattr(later, "on"))


@for_all(st.lists(COMMANDS | BANK_DEBITS, max_size=30), st.data())
def test_the_fold_of_a_beginning_and_of_the_rest_is_the_fold_of_all(
    commands: list[Command], data: st.DataObject
) -> None:
    events = played(commands)
    cut = data.draw(st.integers(0, len(events)))
    assert decider.fold(events[cut:], decider.fold(events[:cut])) == decider.fold(events)


@for_all(st.lists(st.tuples(st.booleans(), AMOUNTS), max_size=20))
def test_transfers_between_two_accounts_keep_the_money(transfers: list[tuple[bool, Money]]) -> None:
    ana: list[Event] = [OPENED, FIFTY]
    ben: list[Event] = [replace(OPENED, owner="ben")]
    total = decider.fold(ana).balance + decider.fold(ben).balance
    for from_ana, amount in transfers:
        payer, payee = (ana, ben) if from_ana else (ben, ana)
        try:
            sent = decider.decide(SendTransfer(amount, THIRD, "the other"), decider.fold(payer))
        except Refused:
            continue
        payer += sent
        payee += decider.decide(ReceiveTransfer(amount, THIRD, "the other"), decider.fold(payee))
    assert decider.fold(ana).balance + decider.fold(ben).balance == total


def test_what_leaves_is_negative_and_a_correction_keeps_its_sign() -> None:
    assert signed(Withdrawn(eur("1"), MARCH)) == eur("-1")
    assert signed(TransferSent(eur("1"), MARCH)) == eur("-1")
    assert signed(FeeCharged(eur("1"), MARCH)) == eur("-1")
    assert signed(Deposited(eur("1"), MARCH)) == eur("1")
    assert signed(Corrected(eur("-1"), MARCH, "why")) == eur("-1")
