"""What a run came to, in numbers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from connector.model import JSON, is_object

__all__ = ["Counts"]


@dataclass(slots=True)
class Counts:
    """The documents of a run by what became of them, the tokens they took, and the time."""

    read: int = 0
    done: int = 0
    skipped: int = 0
    failed: int = 0
    unknown: int = 0
    given: int = 0
    """The documents that came out."""
    input_tokens: int = 0
    output_tokens: int = 0
    started: float = field(default_factory=time.monotonic)
    stopped: str = ""
    """Why the run ended before its documents did."""

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def spend(self, body: JSON) -> None:
        """Adds the tokens that an answer says it took."""
        usage: JSON = body.get("usage") if is_object(body) else None
        if is_object(usage):
            self.input_tokens += _count(usage, "input_tokens", "prompt_tokens")
            self.output_tokens += _count(usage, "output_tokens", "completion_tokens")

    def as_document(self) -> dict[str, JSON]:
        """The numbers as JSON."""
        shown: dict[str, JSON] = {
            "read": self.read, "done": self.done, "skipped": self.skipped, "failed": self.failed,
            "unknown": self.unknown, "given": self.given,
            "tokens": {"input": self.input_tokens, "output": self.output_tokens},
            "seconds": round(self.seconds, 3),
        }  # fmt: skip
        return shown | ({"stopped": self.stopped} if self.stopped else {})

    def sentence(self) -> str:
        """The numbers in a line."""
        parts = [f"{count:,} {name}" for name, count in self._named() if count or name == "done"]
        if self.input_tokens or self.output_tokens:
            parts.append(f"{self.input_tokens:,} + {self.output_tokens:,} tokens")
        parts.append(f"{self.seconds:.1f} s")
        return ", ".join(parts) + (f"; stopped: {self.stopped}" if self.stopped else "")

    def _named(self) -> list[tuple[str, int]]:
        return [("done", self.done), ("skipped", self.skipped), ("failed", self.failed), ("unknown", self.unknown)]


def _count(usage: Mapping[str, JSON], *names: str) -> int:
    return next((usage[name] for name in names if isinstance(usage.get(name), int)), 0)
