"""Carts of a shop: customers who come back, put things in, change their minds, buy or drift away."""

from datetime import UTC, datetime, timedelta
from random import Random

from eventlab.domain.cart import Abandon, AddItem, ChangeQuantity, CheckOut, Command, CreateCart, RemoveItem, decider
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.inputs.generate.run import run

# Product, price in cents, how often it is put into a cart, and how likely it is to be taken out again.
_PRODUCTS = (
    ("trousers", 49_90, 5, 0.45),
    ("shirt", 29_90, 5, 0.15),
    ("socks", 4_50, 6, 0.05),
    ("belt", 19_90, 2, 0.10),
    ("jacket", 119_00, 2, 0.30),
    ("shoes", 89_00, 3, 0.25),
    ("scarf", 14_90, 2, 0.10),
    ("gift card", 25_00, 1, 0.02),
)
_NAMES = ("ana", "ben", "chloe", "deniz", "emil", "fatima", "goran", "hanna", "ivo", "jun", "karim", "lena")
_CARTS_PER_CUSTOMER = 2
_OPENING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
_SECONDS_BETWEEN_CARTS = 420
_SECONDS_BETWEEN_STEPS = 45
# After this long without a step the shop gives a cart up; a cart that lost an item is given up more often.
_GIVE_UP = timedelta(minutes=30)
_GIVEN_UP, _GIVEN_UP_AFTER_REMOVAL = 0.25, 0.55


def demo_carts(seed: int = 1, n: int = 40) -> dict[StreamId, list[NewEvent]]:
    """``n`` carts, ``cart-1`` to ``cart-n``, in EUR, from the morning of 2 March 2026 on.

    Each ends checked out or abandoned; customers come back, two carts each on average.
    """
    rng = Random(seed)  # noqa: S311 a history that repeats, not a secret
    customers = [_customer(number) for number in range(max(1, n // _CARTS_PER_CUSTOMER))]
    carts, begun = {}, _OPENING
    for number in range(1, n + 1):
        begun += timedelta(seconds=round(rng.expovariate(1 / _SECONDS_BETWEEN_CARTS)))
        commands = _shopping(rng, rng.choice(customers))
        carts[StreamId("cart", str(number))] = run(rng, decider, _timed(rng, begun, commands))
    return carts


def _customer(number: int) -> str:
    lap, place = divmod(number, len(_NAMES))
    return f"{_NAMES[place]}{lap + 1 if lap else ''}"


def _shopping(rng: Random, customer: str) -> list[Command]:
    commands: list[Command] = [CreateCart(customer, "EUR")]
    wanted: dict[str, int] = {}
    removed = False
    for _ in range(rng.randrange(1, 5)):
        product, cents, _, doubt = rng.choices(_PRODUCTS, weights=[weight for _, _, weight, _ in _PRODUCTS])[0]
        quantity = rng.choice((1, 1, 1, 2, 3))
        commands.append(AddItem(product, quantity, Money(cents, "EUR")))
        wanted[product] = wanted.get(product, 0) + quantity
        if rng.random() < doubt:
            away = rng.randint(1, wanted[product])
            commands.append(RemoveItem(product, away))
            wanted[product] -= away
            removed = True
        elif rng.random() < 0.15:  # some customers correct the number instead
            wanted[product] += 1
            commands.append(ChangeQuantity(product, wanted[product]))
    given_up = rng.random() < (_GIVEN_UP_AFTER_REMOVAL if removed else _GIVEN_UP)
    commands.append(Abandon("no activity") if given_up or not any(wanted.values()) else CheckOut())
    return commands


def _timed(rng: Random, begun: datetime, commands: list[Command]) -> list[tuple[datetime, Command]]:
    plan, moment = [], begun
    for command in commands:
        plan.append((moment + _GIVE_UP if isinstance(command, Abandon) else moment, command))
        moment += timedelta(seconds=1 + round(rng.expovariate(1 / _SECONDS_BETWEEN_STEPS)))
    return plan
