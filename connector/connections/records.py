"""Failed documents as lines of a file that is itself an input: each as it came, with what went wrong under `$error`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from connector.documents import dump, parse
from connector.errors import ConfigurationError, InvalidDocument
from connector.model import JSON, Outcome, State, is_object

__all__ = ["ErrorsFile", "Revived", "kept", "revived"]

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


def revived(line: JSON) -> Revived:
    """The document that a line of an input holds, whether or not it failed before."""
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
        """One failed document with its reason; an outcome is what need not be asked for again."""
        if self._path is None:
            return
        if self._file is None:
            self._file = self._path.open("wb")
        self._file.write(_line(document, state, reason, outcome) + b"\n")
        self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def kept(document: JSON, state: str, reason: str, **more: JSON) -> dict[str, JSON]:
    """A document with what went wrong, as `revived` takes it back; whatever the document is, this is JSON."""
    error: dict[str, JSON] = {"state": state, "reason": reason, **more}
    plain = is_object(document) and ERROR not in document and DOCUMENT not in document
    whole: dict[str, JSON] = {**(document if plain else {DOCUMENT: document}), ERROR: error}
    try:
        dump(whole)
    except InvalidDocument as fault:
        shown = repr(document)[:10_000].encode(errors="replace").decode()
        return {DOCUMENT: shown, ERROR: {**error, "note": str(fault)}}
    return whole


def _line(document: JSON, state: str, reason: str, outcome: Outcome | None) -> bytes:
    if outcome is None:
        return dump(kept(document, state, reason))
    answer = {"status": outcome.status, "headers": dict(outcome.headers), "body": outcome.body}
    return dump(kept(document, state, reason, outcome={**answer, "request_id": outcome.request_id}))
