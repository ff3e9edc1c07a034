"""How a sandbox bills: late, at random and rounded, as it is asked to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from hashlib import blake2b

from connector.errors import ConfigurationError
from connector.suggestions import closest, did_you_mean

__all__ = ["Terms"]

KINDS = ("late", "random", "round", "fresh")
EXACT = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of billing.

    Attributes:
        late: seconds after which usage comes into the reports.
        random: the most seconds that it comes later still, each minute's after its own.
        digits: decimal places of amounts; as many as there are unless given.
        fresh: whether reports of the time before the first request are empty, instead of having made-up numbers.
    """

    late: float = 0.0
    random: float = 0.0
    digits: int | None = None
    fresh: bool = False

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Terms:
        """Return the terms of the command line, such as `late:3600` and `round:2`."""
        found: dict[str, float | int | bool] = {}
        for text in texts:
            kind, _, number = text.partition(":")
            if kind not in KINDS:
                hint = did_you_mean(closest(kind, KINDS))
                raise ConfigurationError(
                    f"--billing {text}: unknown kind {kind!r}; allowed: late:SECONDS, random:SECONDS, round:DIGITS,"
                    f" fresh{f'; {hint}' if hint else ''}"
                )
            found["digits" if kind == "round" else kind] = True if kind == "fresh" else _read_number(text, kind, number)
        return cls(**found)  # type: ignore[arg-type]  # the values are of their fields' types

    def shows(self, name: str, minute: int, seed: int, now: float) -> bool:
        """Return whether what was used in a minute is in the reports by now."""
        share = int.from_bytes(blake2b(f"{seed}/{name}".encode(), digest_size=4).digest()) / 2**32
        return minute + self.late + self.random * share <= now

    def round(self, amount: Decimal) -> float:
        """Return an amount as a report shows it."""
        step = EXACT if self.digits is None else Decimal(1).scaleb(-self.digits)
        return float(amount.quantize(step, ROUND_HALF_UP))


def _read_number(text: str, kind: str, number: str) -> float | int:
    try:
        value = int(number) if kind == "round" else float(number)
    except ValueError:
        value = -1
    if not 0 <= value <= (12 if kind == "round" else 1e7):
        allowed = "0 to 12 digits" if kind == "round" else "seconds from 0 to 10,000,000"
        raise ConfigurationError(f"--billing {text}: found {number!r}; allowed: {allowed}")
    return value
