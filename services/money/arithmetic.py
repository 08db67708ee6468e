"""Sums as pure arithmetic: dividing without losing a kopeck, laying payments on a schedule, what a refund is."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a schedule: its key and its sum."""

    key: int
    amount: int


def split(total: int, parts: int) -> list[int]:
    """``total`` in ``parts`` that differ by a kopeck at most and add up to it; the greater ones come first."""
    whole, rest = divmod(total, parts)
    return [whole + (place < rest) for place in range(parts)]


def lay(lines: Sequence[Line], payments: Sequence[Line]) -> tuple[list[tuple[int, int, int]], int]:
    """Lays payments on lines in their order: ([(payment, line, amount)], what is left over).

    Each line takes no more than its sum; of what a payment has, none is lost: laid + left = paid.
    """
    laid: list[tuple[int, int, int]] = []
    place, taken, left = 0, 0, 0
    for payment in payments:
        rest = payment.amount
        while rest and place < len(lines):
            part = min(rest, lines[place].amount - taken)
            if part:
                laid.append((payment.key, lines[place].key, part))
            rest, taken = rest - part, taken + part
            if taken == lines[place].amount:
                place, taken = place + 1, 0
        left += rest
    return laid, left


def net_payments(payments: Sequence[Line], refunded: int) -> list[Line]:
    """What stands of payments after a refund, which is taken from the last of them first."""
    left, kept = refunded, []
    for payment in reversed(payments):
        back = min(left, payment.amount)
        left -= back
        if payment.amount > back:
            kept.append(Line(payment.key, payment.amount - back))
    return kept[::-1]


DEDUCTS: dict[str, tuple[str, ...]] = {
    "agreement": ("delivered", "expenses"),
    "consumer": ("delivered", "expenses"),
    "defect": (),
    "late": (),
    "school": ("delivered",),
    "court": ("delivered", "expenses"),
    "gone": ("delivered",),
}
"""Ground of a termination → what is kept of the payment. By articles 28 and 29 of the consumer law the whole price
may be due back; in the others the school keeps what it has delivered and the expenses that documents prove."""


@dataclass(frozen=True, slots=True)
class Refund:
    """A calculation: ``due`` goes back; ``debt`` is what the client still owes for what was delivered."""

    price: int
    paid: int
    delivered: int
    expenses: int
    kept: int
    due: int
    debt: int


def delivered_value(price: int, done: int, whole: int) -> int:
    """The price of what was delivered, ``done`` of ``whole`` units, rounded down: in the client's favour."""
    return price * min(done, whole) // whole if whole > 0 else 0


def refund_of(ground: str, *, price: int, paid: int, delivered: int, expenses: Sequence[int] = ()) -> Refund:
    """What goes back: paid less what the ground lets the school keep, never more than was paid."""
    known = {"delivered": delivered, "expenses": sum(expenses)}
    kept = min(price, sum(known[name] for name in DEDUCTS[ground]))
    return Refund(price, paid, delivered, known["expenses"], kept, max(0, paid - kept), max(0, kept - paid))


def read_money(text: str) -> int:
    """Kopecks of «86 400,50» as people write roubles; raises ValueError."""
    plain = text.replace(" ", "").replace("\u00a0", "").replace("₽", "").replace(",", ".")
    roubles, _, rest = plain.partition(".")
    if not roubles.isdecimal() or (rest and not rest.isdecimal()) or len(rest) > 2 or len(roubles) > 10:
        raise ValueError(text)
    return int(roubles) * 100 + int(rest.ljust(2, "0") or 0)
