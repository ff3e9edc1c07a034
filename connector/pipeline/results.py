"""How documents ended: results, counts, and the file of those that failed, which is itself an input."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

from connector.documents import dump, parse
from connector.errors import ConfigurationError, InvalidDocument
from connector.model import JSON, Outcome, State, is_object

__all__ = ["Counts", "End", "ErrorsFile", "Item", "Result", "Revived", "failure_line", "revive"]

ERROR, DOCUMENT, TEXT = "$error", "$document", "$text"


@dataclass(frozen=True, slots=True)
class Revived:
    """A document as it came at first, and what is known of an earlier attempt."""

    document: JSON
    earlier: Mapping[str, JSON]

    @property
    def in_doubt(self) -> bool:
        """Whether an earlier attempt may have taken effect."""
        return self.earlier.get("state") == "unknown"

    @property
    def outcome(self) -> Outcome | None:
        """The answer that was there already when something after it failed."""
        found = self.earlier.get("outcome")
        if not is_object(found):
            return None
        return Outcome(
            State.DONE, found.get("status"), found.get("headers") or {}, found.get("body"), found.get("request_id")
        )


def revive(line: JSON) -> Revived:
    """Return the document that a line of an input holds, whether or not it failed before."""
    if not is_object(line) or ERROR not in line or not is_object(line[ERROR]):
        return Revived(line, {})
    earlier = line[ERROR]
    if TEXT in line:
        return Revived(parse(line[TEXT], where=TEXT), earlier)
    if DOCUMENT in line:
        return Revived(line[DOCUMENT], earlier)
    return Revived({name: value for name, value in line.items() if name != ERROR}, earlier)


class ErrorsFile:
    """The file of failed documents, made when the first one comes."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        if path is not None and not path.parent.is_dir():
            raise ConfigurationError(f"--errors: there is no folder {str(path.parent)!r}")

    @property
    def wanted(self) -> bool:
        return self._path is not None

    def write(self, document: JSON, state: str, reason: str, outcome: Outcome | None = None) -> None:
        """Write a failed document with its reason, and with the answer that it need not be sent again for."""
        if self._path is None:
            return
        if self._file is None:
            self._file = self._path.open("wb")
        self._file.write(_encode_line(document, state, reason, outcome) + b"\n")
        self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def failure_line(document: JSON, state: str, reason: str, **more: JSON) -> dict[str, JSON]:
    """Return a document with what went wrong, as `revive` takes it back; it is JSON for any document."""
    error: dict[str, JSON] = {"state": state, "reason": reason, **more}
    plain = is_object(document) and ERROR not in document and DOCUMENT not in document
    whole: dict[str, JSON] = {**(document if plain else {DOCUMENT: document}), ERROR: error}
    try:
        dump(whole)
    except InvalidDocument as fault:
        shown = repr(document)[:10_000].encode(errors="replace").decode()
        return {DOCUMENT: shown, ERROR: {**error, "note": str(fault)}}
    return whole


def _encode_line(document: JSON, state: str, reason: str, outcome: Outcome | None) -> bytes:
    if outcome is None:
        return dump(failure_line(document, state, reason))
    answer = {"status": outcome.status, "headers": dict(outcome.headers), "body": outcome.body}
    return dump(failure_line(document, state, reason, outcome={**answer, "request_id": outcome.request_id}))


End = Literal["done", "skipped", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Item:
    """A document of the input by its position."""

    number: int
    given: Revived


@dataclass(frozen=True, slots=True)
class Result:
    """How documents ended.

    Attributes:
        items: the documents of the input.
        state: what became of them.
        reason: why, when they are not done.
        outcomes: what each request that was made of them came to.
        answers: the answers that no publisher took.
        kept: the answer, when something after it failed; it need not be asked for again.
    """

    items: Sequence[Item]
    state: End
    reason: str = ""
    outcomes: Sequence[Outcome] = ()
    answers: Sequence[JSON] = field(default_factory=list[JSON])
    kept: Outcome | None = None


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

    def add(self, state: End, count: int) -> None:
        """Count documents that ended."""
        setattr(self, state, getattr(self, state) + count)

    def spend(self, body: JSON) -> None:
        """Add the tokens that an answer says it took."""
        usage: JSON = body.get("usage") if is_object(body) else None
        if is_object(usage):
            self.input_tokens += _count_tokens(usage, "input_tokens", "prompt_tokens")
            self.output_tokens += _count_tokens(usage, "output_tokens", "completion_tokens")

    def as_document(self) -> dict[str, JSON]:
        """Return the numbers as JSON."""
        shown: dict[str, JSON] = {
            "read": self.read, "done": self.done, "skipped": self.skipped, "failed": self.failed,
            "unknown": self.unknown, "given": self.given,
            "tokens": {"input": self.input_tokens, "output": self.output_tokens},
            "seconds": round(self.seconds, 3),
        }  # fmt: skip
        return shown | ({"stopped": self.stopped} if self.stopped else {})

    def sentence(self) -> str:
        """Return the numbers in a line."""
        parts = [f"{count:,} {name}" for name, count in self._named() if count or name == "done"]
        if self.input_tokens or self.output_tokens:
            parts.append(f"{self.input_tokens:,} + {self.output_tokens:,} tokens")
        parts.append(f"{self.seconds:.1f} s")
        return ", ".join(parts) + (f"; stopped: {self.stopped}" if self.stopped else "")

    def _named(self) -> list[tuple[str, int]]:
        return [("done", self.done), ("skipped", self.skipped), ("failed", self.failed), ("unknown", self.unknown)]


def _count_tokens(usage: Mapping[str, JSON], *names: str) -> int:
    return next((usage[name] for name in names if isinstance(usage.get(name), int)), 0)
