"""The account's balance in a bitemporal table: each row says from when to when it was true, and was believed.

All four bounds are half open, [from, to). A booking never changes what a row says: it ends the time in which the row
was believed, and writes rows that are believed from now on (Snodgrass 1999, *Developing Time-Oriented Database
Applications in SQL*, chapter 10; since SQL:2011 the standard has the periods, but no database here has both of them).
The table knows every balance that was ever believed, and no booking: what moved it is not kept.
"""

from datetime import UTC, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session

from eventlab.crud.base import Base, UtcTime
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money

FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
"""The end of a period that has none. A NULL would need ``OR … IS NULL`` in every query."""


class BitemporalBalance(Base):
    """``balance_minor`` was on the account from ``valid_from`` to ``valid_to``, as was believed from ``recorded_from``.

    The uniqueness refuses the second of two writers who both think that they supersede a row.
    """

    __tablename__ = "bitemporal_balances"
    __table_args__ = (
        UniqueConstraint("account_id", "valid_from", "recorded_to"),
        CheckConstraint("valid_from < valid_to"),
        CheckConstraint("recorded_from < recorded_to"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("bitemporal_accounts.id"))
    valid_from: Mapped[datetime] = mapped_column(UtcTime)
    valid_to: Mapped[datetime] = mapped_column(UtcTime)
    recorded_from: Mapped[datetime] = mapped_column(UtcTime)
    recorded_to: Mapped[datetime] = mapped_column(UtcTime)
    balance_minor: Mapped[int] = mapped_column(BigInteger)


class BitemporalAccount(Base):
    """One account. The recorded time is the clock of the session, as everywhere in this package."""

    __tablename__ = "bitemporal_accounts"
    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    currency: Mapped[str]

    @classmethod
    def open(cls, session: Session, key: str, owner: str, currency: str, valid_from: datetime) -> "BitemporalAccount":
        """A new account with nothing on it from ``valid_from`` on. Raises Refused."""
        if session.get(cls, key) is not None:
            raise Refused(f"cannot open the account: {key} exists already")
        _check_zone(valid_from)
        account = cls(id=key, owner=owner, currency=Money(0, currency).currency)
        session.add(account)
        session.flush()
        session.add(account._balance(valid_from, FOREVER, _now(session), 0))
        return account

    def book(self, amount: Money, valid_from: datetime) -> int:
        """Move the balance by ``amount``, with its sign, from ``valid_from`` on; how many rows that changed or wrote.

        Every period after ``valid_from`` gets a new row: the further back, the more.
        Raises Refused for another currency or a time before the account begins, ValueError when the clock has gone
        back behind a row that is there.
        """
        if amount.currency != self.currency:
            raise Refused(f"cannot book {amount}: the account is in {self.currency}")
        _check_zone(valid_from)
        session = self._session()
        session.refresh(self, with_for_update=True)  # one writer per account; the others wait here
        rows = self._current(session, valid_from)
        now = _now(session)
        if ahead := [row.recorded_from for row in rows if row.recorded_from > now]:
            raise ValueError(f"the clock says {now}, but something was recorded at {max(ahead)} already")
        kept = [row for row in rows if row.recorded_from == now]
        ended = [row for row in rows if row.recorded_from < now]
        for row in ended:
            row.recorded_to = now
        session.flush()  # their successors may not be there before they have ended
        successors = [self._balance(row.valid_from, row.valid_to, now, row.balance_minor) for row in ended]
        written = [*kept, *successors]
        for row in list(written):
            if row.valid_from < valid_from:
                written.append(self._balance(valid_from, row.valid_to, now, row.balance_minor + amount.minor))
                row.valid_to = valid_from
            else:
                row.balance_minor += amount.minor
        session.add_all(written)
        session.flush()
        return len(ended) + len(written)

    def balance(self, time: datetime, known_at: datetime) -> Money:
        """What was believed at ``known_at`` to have been on the account at ``time``; both moments are included.

        Raises ValueError for a time without a zone, for a ``known_at`` in the future, and where there was nothing yet.
        """
        _check_zone(time)
        _check_zone(known_at)
        session = self._session()
        if known_at > (now := _now(session)):
            raise ValueError(f"{known_at} is in the future (now is {now}): what will be believed then, nobody knows")
        found = session.scalar(
            select(BitemporalBalance.balance_minor).where(
                BitemporalBalance.account_id == self.id,
                BitemporalBalance.valid_from <= time,
                BitemporalBalance.valid_to > time,
                BitemporalBalance.recorded_from <= known_at,
                BitemporalBalance.recorded_to > known_at,
            )
        )
        if found is None:
            raise ValueError(f"nothing was known at {known_at} about {self.id} at {time}: the account begins later")
        return Money(found, self.currency)

    def _current(self, session: Session, valid_from: datetime) -> list[BitemporalBalance]:
        """What is believed now about the time from ``valid_from`` on. Raises Refused before the account begins."""
        query = select(BitemporalBalance).where(
            BitemporalBalance.account_id == self.id,
            BitemporalBalance.recorded_to == FOREVER,
            BitemporalBalance.valid_to > valid_from,
        )
        rows = list(session.scalars(query.order_by(BitemporalBalance.valid_from)))
        if not rows or rows[0].valid_from > valid_from:
            raise Refused(f"cannot book at {valid_from}: the account begins later, or ends with the year 9999")
        return rows

    def _balance(self, valid_from: datetime, valid_to: datetime, now: datetime, minor: int) -> BitemporalBalance:
        return BitemporalBalance(
            account_id=self.id,
            valid_from=valid_from,
            valid_to=valid_to,
            recorded_from=now,
            recorded_to=FOREVER,
            balance_minor=minor,
        )

    def _session(self) -> Session:
        session = object_session(self)
        if session is None:
            raise RuntimeError(f"the account {self.id} belongs to no open transaction: get it from a session")
        return session


def _now(session: Session) -> datetime:
    now: datetime = session.info["clock"]()
    return now.astimezone(UTC)


def _check_zone(time: datetime) -> None:
    if time.tzinfo is None:
        raise ValueError(f"{time} has no time zone, so it is not one moment; add one, for example UTC")
