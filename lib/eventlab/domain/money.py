"""Money as whole minor units (cents) of a currency: never a float, never a guess about the decimals."""

from decimal import Decimal, InvalidOperation

from msgspec import Struct

# Decimals of the currencies that do not have two (ISO 4217, list one, 2024).
_DECIMALS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
    "UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip
_DEFAULT_DECIMALS = 2

# ISO 4217's own code for "no currency is involved": what a cart or an account has before its first event.
NO_CURRENCY = "XXX"

_SEEN = {NO_CURRENCY}  # currencies that are written as they should be: at most 26³


def decimals(currency: str) -> int:
    """How many decimals the currency has (ISO 4217): 2 for EUR, 0 for JPY, 3 for KWD."""
    return _DECIMALS.get(currency, _DEFAULT_DECIMALS)


class Money(Struct, frozen=True, gc=False):
    """An amount in minor units: ``Money(1240, "EUR")`` is 12.40 EUR. Currencies do not mix."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if self.currency in _SEEN:  # a fold makes many, of few currencies
            return
        letters = self.currency.isascii() and self.currency.isalpha() and self.currency.isupper()
        if len(self.currency) != 3 or not letters:
            raise ValueError(f"a currency is three capital letters (ISO 4217), not {self.currency!r}")
        _SEEN.add(self.currency)

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str) -> "Money":
        """Money from a decimal number: ``Money.of("12.40", "EUR")``.

        Raises ValueError when ``amount`` is not a number or is finer than the currency's minor unit.
        """
        try:
            minor = Decimal(amount).scaleb(decimals(currency))
        except (InvalidOperation, TypeError) as error:
            raise ValueError(f"{amount!r} is not an amount of money") from error
        if not minor.is_finite() or minor != minor.to_integral_value():
            raise ValueError(f"{amount} is not a whole number of {currency} minor units")
        return cls(int(minor), currency)

    @property
    def amount(self) -> Decimal:
        """The amount in major units, exact: ``Decimal("12.40")``."""
        return Decimal(self.minor).scaleb(-decimals(self.currency))

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __mul__(self, times: int) -> "Money":
        return Money(self.minor * times, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __str__(self) -> str:
        number = f"{self.amount:,f}"
        return number if self.currency == NO_CURRENCY else f"{number} {self.currency}"
