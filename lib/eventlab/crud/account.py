"""The account as one row: its balance now. What moved it is not kept, so there is no statement."""

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, Session, mapped_column

from eventlab.crud.base import Audited, Base
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money


class Account(Audited, Base):
    """One account; ``status`` is open or closed. The rules are those of the decider in ``domain.account``.

    A booking reads the balance, adds to it in Python and writes it back, as applications do: two at once lose one.
    """

    __tablename__ = "accounts"
    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    currency: Mapped[str]
    overdraft_minor: Mapped[int] = mapped_column(BigInteger)
    balance_minor: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str]

    @classmethod
    def open(cls, session: Session, key: str, owner: str, overdraft_limit: Money) -> "Account":
        """A new row, in the currency of the limit. Raises Refused."""
        if session.get(cls, key) is not None:
            raise Refused(f"cannot open the account: {key} exists already")
        if not owner.strip():
            raise Refused("cannot open the account: an account needs an owner")
        if overdraft_limit.minor < 0:
            raise Refused(f"cannot open the account: the overdraft limit {overdraft_limit} is below zero")
        account = cls(
            id=key,
            owner=owner,
            currency=overdraft_limit.currency,
            overdraft_minor=overdraft_limit.minor,
            balance_minor=0,
            status="open",
        )
        session.add(account)
        return account

    @property
    def balance(self) -> Money:
        """What is on the account now."""
        return Money(self.balance_minor, self.currency)

    @property
    def available(self) -> Money:
        """What the owner may still spend: balance plus overdraft."""
        return Money(self.balance_minor + self.overdraft_minor, self.currency)

    def deposit(self, amount: Money) -> None:
        """Pay money in; a transfer received and interest are no different here. Raises Refused."""
        self._check("deposit", amount)
        self.balance_minor += amount.minor

    def withdraw(self, amount: Money) -> None:
        """Take money out, within the overdraft. Raises Refused."""
        self._check("withdraw", amount)
        if self.available < amount:
            limit = Money(self.overdraft_minor, self.currency)
            raise Refused(
                f"cannot withdraw {amount}: {self.available} is available "
                f"(balance {self.balance}, overdraft limit {limit})"
            )
        self.balance_minor -= amount.minor

    def transfer(self, amount: Money, to: "Account") -> None:
        """Send money to another account: both rows change, or neither. Raises Refused."""
        to._check("receive", amount)
        self.withdraw(amount)
        to.deposit(amount)

    def charge_fee(self, amount: Money) -> None:
        """Take the bank's fee, even beyond the overdraft limit. Raises Refused."""
        self._check("charge a fee of", amount)
        self.balance_minor -= amount.minor

    def correct(self, amount: Money) -> None:
        """Change the balance by ``amount``, with its sign; there is no column for the reason. Raises Refused."""
        self._must_be_open()
        if amount.currency != self.currency:
            raise Refused(f"cannot correct by {amount}: the account is in {self.currency}")
        if amount.minor == 0:
            raise Refused("cannot correct by nothing: give the difference, with its sign")
        self.balance_minor += amount.minor

    def close(self) -> None:
        """End the account; its balance must be zero. Raises Refused."""
        self._must_be_open()
        if self.balance_minor != 0:
            raise Refused(f"cannot close the account: its balance is {self.balance}, not zero")
        self.status = "closed"

    def _must_be_open(self) -> None:
        if self.status != "open":
            raise Refused("the account is closed: nothing can be booked any more")

    def _check(self, wish: str, amount: Money) -> None:
        self._must_be_open()
        if amount.currency != self.currency:
            raise Refused(f"cannot {wish} {amount}: the account is in {self.currency}")
        if amount.minor <= 0:
            raise Refused(f"cannot {wish} {amount}: the amount must be above zero")
