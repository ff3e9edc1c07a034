"""Faults by rate: `429:0.05` is one answer in twenty."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from connector.errors import ConfigurationError
from connector.sandbox.faults.fault import Fault

__all__ = ["Rate"]

WHOLE = 2**64


@dataclass(frozen=True, slots=True)
class Rate:
    """A fault and the share of requests that it befalls."""

    fault: Fault
    share: float

    @classmethod
    def of(cls, text: str) -> Rate:
        """The rate that `KIND:RATE` or `KIND:RATE:NUMBER` stands for."""
        name, *rest = text.strip().split(":", 2)
        fault = Fault.of(":".join([name, *rest[1:]]))
        try:
            share = float(rest[0]) if rest else -1.0
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            found = f"found {rest[0]!r}" if rest else "there is none"
            raise ConfigurationError(f"fault: {text!r} needs a rate from 0 to 1 after its name ({name}:0.05), {found}")
        return cls(fault, share)

    def befalls(self, seed: int, number: int) -> bool:
        """Whether it befalls that request; the same one whenever the seed is the same."""
        drawn = blake2b(f"{seed}/{self.fault}/{number}".encode(), digest_size=8).digest()
        return int.from_bytes(drawn) < self.share * WHOLE

    def __str__(self) -> str:
        number = f":{self.fault.number:g}" if self.fault.number else ""
        return f"{self.fault.kind}:{self.share:g}{number}"
